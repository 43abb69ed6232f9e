"""Ctrl-C and SIGTERM as a question that a loop asks between two steps."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import signal
from types import FrameType


@contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """
    Hold the signals back, so that no file is left half-written; a second one is not held back.

    A signal that the process ignores, as a shell's background job does SIGINT, stays ignored.

    :return: a function that says whether one has come.
    """
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)

    previous = {number: signal.signal(number, note)
                for number in (signal.SIGINT, signal.SIGTERM)
                if signal.getsignal(number) is not signal.SIG_IGN}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
