# Copyright 2026 mdepth_ros maintainers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

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
