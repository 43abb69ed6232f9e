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

"""Errors that nobody foresaw: said aloud, never swallowed."""

from collections.abc import Callable
import traceback
from types import TracebackType


class LoggedFailure:
    """
    A context that logs an error with its traceback and lets it pass.

    rclpy turns errors of lifecycle callbacks into a state without a word, and those of threads
    never reach a log file.
    """

    def __init__(self, log: Callable[[str], object], what: str) -> None:
        """
        Wait for an error.

        :param log: takes the message.
        :param what: what is being done.
        """
        self._log = log
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if error is not None:
            text = ''.join(traceback.format_exception(kind, error, trace))
            self._log(f'{self._what} failed, which is a bug: {error!r}\n{text}')
