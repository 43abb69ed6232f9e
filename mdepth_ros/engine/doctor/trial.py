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

"""Try something in a process of its own: libraries that do not fit a machine may end theirs."""

from dataclasses import dataclass
import os
import signal
import subprocess
import sys

from mdepth_ros.engine.child_environment import child_environment


@dataclass(frozen=True)
class Trial:
    """Whether it ``worked``, and ``text``: the last line that it wrote, or why it ended."""

    worked: bool
    text: str


def try_module(module: str, *arguments: str, timeout_s: float = 300.0) -> Trial:
    """
    Run ``python -m module``.

    :param module: writes one line to stdout; what it writes to stderr matters if it fails.
    :param arguments: its command line.
    :param timeout_s: it is killed after this time [s].
    :return: what became of it.
    """
    try:
        done = subprocess.run(
            [sys.executable, '-m', module, *arguments], capture_output=True, text=True,
            errors='replace', timeout=timeout_s, stdin=subprocess.DEVNULL,
            env=child_environment(os.environ))
    except subprocess.TimeoutExpired:
        return Trial(False, f'not done in {timeout_s:g} s')
    if done.returncode == 0:
        return Trial(True, _last_line(done.stdout))
    if done.returncode < 0:  # what it wrote before is not why
        return Trial(False, f'killed by {signal.Signals(-done.returncode).name}')
    return Trial(False, _last_line(done.stderr) or f'ended with status {done.returncode}')


def _last_line(text: str) -> str:
    """Return the last line that is not empty."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), '')
