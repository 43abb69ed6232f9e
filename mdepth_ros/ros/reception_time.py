"""When a message came, whatever rclpy tells of it."""

from collections.abc import Callable, Mapping
import time
from typing import Any

from rclpy.subscription import Subscription


def with_reception_time(take: Callable[[bytes, int], None]) -> Callable[..., None]:
    """
    Make a subscription's callback of a function that wants to know when the message came.

    The time is when the middleware received it; where rclpy does not tell, as on Humble, it is
    when Python came to it.

    :param take: called with a message and the wall clock [ns].
    :return: the callback.
    """
    def on_message(message: bytes) -> None:
        take(message, time.time_ns())

    def on_message_info(message: bytes, info: Mapping[str, Any]) -> None:
        # Some middlewares say 0.
        take(message, info['received_timestamp'] or time.time_ns())

    # Two functions and not an optional argument: rclpy counts what the callback can be called
    # with, and passes the message alone where that is enough. On Humble it always does.
    return on_message_info if hasattr(Subscription, 'CallbackType') else on_message
