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

"""Ctrl-C, SIGTERM and a closed terminal as a question that a loop asks between two steps."""

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
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
                if signal.getsignal(number) is not signal.SIG_IGN}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
