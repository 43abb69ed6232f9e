"""Processes that exchange large messages: their environment, their logs and their end."""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mdepth_ros.errors import MdepthError

# Which variable names the profile, by the library that reads it: Fast DDS 3 or, on Humble and
# Jazzy, 2. The newer one warns of the older name.
PROFILE_VARIABLES = {'libfastdds.so': 'FASTDDS_DEFAULT_PROFILES_FILE',
                     'libfastrtps.so': 'FASTRTPS_DEFAULT_PROFILES_FILE'}
SHARED_MEMORY = Path('/dev/shm')
# Each process maps a segment of 64 MB: a node, a player, a recorder and one viewer.
NEEDED_SHARED_MEMORY = 4 * 64 * 1024**2

Check = Callable[[], None]


class ProcessError(MdepthError):
    """A process that died or did not do in time what it was started for."""


def profile_path() -> Path:
    """
    Find the shipped Fast DDS profile: beside the sources, or in a ROS or pip installation.

    :return: path of ``fastdds.xml``.
    :raises MdepthError: if it is in none of the three places.
    """
    share = Path('share/mdepth_ros/config/fastdds.xml')
    prefixes = [Path(p) for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    candidates = [Path(__file__).resolve().parents[2] / 'config' / 'fastdds.xml',
                  *(prefix / share for prefix in prefixes),
                  Path(sysconfig.get_path('data')) / share]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise MdepthError(f'fastdds.xml is missing, looked for {[str(c) for c in candidates]}')


def large_message_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """
    Environment in which images and clouds travel whole through shared memory.

    :param base: environment to extend, the present one by default. A profile that it already
        names stays: it may configure more than we know.
    :return: a copy; unchanged where ``/dev/shm`` has no room for the segments (a container with
        Docker's default of 64 MB), because there Fast DDS loses messages with them.
    """
    environment = dict(os.environ if base is None else base)
    taken = any(name in environment for name in PROFILE_VARIABLES.values())
    if taken or not shared_memory_suffices():
        return environment
    return environment | dict.fromkeys(profile_variables(environment), str(profile_path()))


def profile_variables(environment: Mapping[str, str]) -> list[str]:
    """
    Find out which variable the installed Fast DDS reads.

    :param environment: its LD_LIBRARY_PATH, which every ROS installation sets, is searched.
    :return: the name; both where no Fast DDS is in sight.
    """
    folders = [Path(p) for p in environment.get('LD_LIBRARY_PATH', '').split(os.pathsep) if p]
    found = [variable for library, variable in PROFILE_VARIABLES.items()
             if any(any(folder.glob(f'{library}*')) for folder in folders)]
    return found or list(PROFILE_VARIABLES.values())


def shared_memory_suffices() -> bool:
    """Return whether ``/dev/shm`` has room for the segments of four processes."""
    return (SHARED_MEMORY.is_dir()
            and shutil.disk_usage(SHARED_MEMORY).free >= NEEDED_SHARED_MEMORY)


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

    :param name: what to call it in errors.
    :param module: module to run with ``python -m``.
    :param arguments: its command line.
    :param log: file that takes its stdout and stderr.
    :param environment: defaults to :func:`large_message_environment`.
    """

    def __init__(
        self, name: str, module: str, arguments: Sequence[str], log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        environment = dict(large_message_environment() if environment is None else environment)
        # The child must find this very package, also from a checkout that is not installed.
        root = str(Path(__file__).resolve().parents[2])
        paths = [root, *filter(None, environment.get('PYTHONPATH', '').split(os.pathsep))]
        environment |= {'PYTHONPATH': os.pathsep.join(paths), 'PYTHONUNBUFFERED': '1'}
        # The pipe to stdin is a leash: its end tells the child that the parent is gone.
        with log.open('wb') as output:
            self.process = subprocess.Popen(
                [sys.executable, '-m', module, *arguments], env=environment,
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
                self._wait(patience)
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
        self._wait(timeout_s)
        return self.process.poll()

    def _wait(self, timeout_s: float) -> None:
        """Wait for its end, no longer than given."""
        deadline = time.monotonic() + timeout_s
        while self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
