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

"""How much memory a process has in use."""

from pathlib import Path

from mdepth_ros.errors import MdepthError

PROC = Path('/proc')


def resident_mb(process: int | None = None) -> float:
    """
    Ask the kernel.

    :param process: number of the process, by default our own.
    :return: resident memory, shared pages included [MB].
    :raises ProcessLookupError: if the process has ended.
    :raises MdepthError: if this kernel does not say.
    """
    if not (PROC / 'self' / 'status').exists():
        raise MdepthError(f'memory in use is read from {PROC}, which this system does not have')
    status = PROC / ('self' if process is None else str(process)) / 'status'
    try:
        lines = status.read_text().splitlines()
    except FileNotFoundError:
        lines = []
    # A process that nobody has waited for yet has a status without memory.
    for line in lines:
        if line.startswith('VmRSS:'):
            return int(line.split()[1]) * 1024e-6
    raise ProcessLookupError(f'no process {process}')
