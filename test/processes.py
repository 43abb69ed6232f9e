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

"""Processes that tests start, and what the kernel says of them."""

from pathlib import Path
import signal


def heed_signals():
    """For preexec_fn: what a shell's background or nohup has ignored, children ignore, too."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def running():
    """Numbers of all processes."""
    return [int(path.name) for path in Path('/proc').iterdir() if path.name.isdigit()]


def command_of(pid):
    """Return the command line, words ended by zeros; empty where the process is gone."""
    return _read(pid, 'cmdline')


def stat_of(pid):
    """State, parent, group, session and more; None where the process is gone."""
    return _read(pid, 'stat').decode().rpartition(')')[2].split() or None


def parent_of(pid):
    """Return the number of the parent; None where the process is gone."""
    stat = stat_of(pid)
    return stat and int(stat[1])


def processes_with(*words):
    """Numbers of the processes whose command line has all these words."""
    return [pid for pid in running() if all(word in command_of(pid) for word in words)]


def _read(pid, name):
    try:
        return Path(f'/proc/{pid}/{name}').read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b''
