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

"""Processes of our own: their start, their logs, waiting for them, and their end."""

from collections.abc import Callable, Mapping, Sequence
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
import time

from mdepth_ros.engine.child_environment import child_environment
from mdepth_ros.errors import MdepthError
from mdepth_ros.ros.transport import large_message_environment

Check = Callable[[], None]


class ProcessError(MdepthError):
    """A process that died or did not do in time what it was started for."""


def wait_until(
    condition: Callable[[], bool], timeout_s: float, what: str, check: Check | None = None
) -> None:
    """
    Poll until a condition holds.

    :param condition: polled every 20 ms.
    :param timeout_s: give up after this time [s].
    :param what: what is waited for, for the error.
    :param check: called between polls; raises when waiting has become pointless.
    :raises ProcessError: if the condition does not hold in time.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if check is not None:
            check()
        if time.monotonic() > deadline:
            raise ProcessError(f'waited {timeout_s:g} s for {what}')
        time.sleep(0.02)


class ChildProcess:
    """
    A Python module as a process of its own, in its own session: Ctrl-C reaches only the parent.

    It gets SIGINT when the parent is gone, however that ended.

    :param name: what to call it in errors.
    :param module: module to run with ``python -m``.
    :param arguments: its command line.
    :param log: file that takes its stdout and stderr.
    :param environment: :func:`large_message_environment` by default.
    """

    def __init__(
        self, name: str, module: str, arguments: Sequence[str], log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        if environment is None:
            environment = large_message_environment()
        # The pipe to stdin is a leash, see leash.py.
        with log.open('wb') as output:
            self.process = subprocess.Popen(
                [sys.executable, '-m', 'mdepth_ros.ros.leash', module, *arguments],
                env=child_environment(environment) | {'PYTHONUNBUFFERED': '1'},
                stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True)

    def check(self) -> None:
        """
        Do nothing while it runs.

        :raises ProcessError: if it has ended; carries the last lines of its log.
        """
        status = self.process.poll()
        if status is not None:
            raise ProcessError(f'{self.name} ended with status {status}; its last lines:\n'
                               + self.log_tail())

    def log_tail(self, lines: int = 12) -> str:
        """Return the last lines of its log."""
        return '\n'.join(self.log_text().splitlines()[-lines:]) or '(it wrote nothing)'

    def log_text(self) -> str:
        """Return what it has written so far."""
        return self.log.read_text(errors='replace')

    def wait_for_line(self, pattern: str, timeout_s: float) -> re.Match[str]:
        """
        Wait until its log has a line.

        :param pattern: regular expression, matched from the start of a line.
        :param timeout_s: give up after this time [s].
        :return: the first match.
        :raises ProcessError: if it ends before, or the line does not come in time.
        """
        line = re.compile(pattern, re.MULTILINE)
        wait_until(lambda: line.search(self.log_text()) is not None, timeout_s,
                   f'{self.name} to write {pattern!r}', self.check)
        match = line.search(self.log_text())
        assert match is not None
        return match

    def stop(self, timeout_s: float = 10.0) -> int:
        """
        End it: SIGINT, then SIGTERM, then SIGKILL to all of its session.

        :param timeout_s: time it has after SIGINT [s]; a third of it after SIGTERM.
        :return: its exit status.
        """
        for number, patience in ((signal.SIGINT, timeout_s), (signal.SIGTERM, timeout_s / 3)):
            if self.process.poll() is None:
                self.process.send_signal(number)
                self.wait(patience)
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        if self.process.stdin is not None:
            self.process.stdin.close()
        return self.process.wait(timeout_s)

    def wait(self, timeout_s: float) -> int | None:
        """
        Wait for it to end by itself.

        :param timeout_s: at most this long [s].
        :return: its exit status, or None if it still runs.
        """
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None
