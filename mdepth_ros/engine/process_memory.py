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

"""How much memory a process has in use, and giving back what it does not use."""

import ctypes
import gc
from pathlib import Path

# Of malloc.h.
M_ARENA_MAX = -8


def resident_mb(process: int | None = None) -> float:
    """
    Ask the kernel.

    :param process: number of the process, by default our own.
    :return: resident memory, shared pages included [MB].
    :raises ProcessLookupError: if the process has ended.
    """
    status = Path('/proc') / ('self' if process is None else str(process)) / 'status'
    try:
        lines = status.read_text().splitlines()
    except FileNotFoundError:
        lines = []
    # A process that nobody has waited for yet has a status without memory.
    for line in lines:
        if line.startswith('VmRSS:'):
            return int(line.split()[1]) * 1024e-6
    raise ProcessLookupError(f'no process {process}')


def limit_heaps(count: int = 2) -> None:
    """
    Let all threads share few heaps, before they are started.

    glibc gives threads heaps of their own, up to eight for each core. Threads that come and go
    with restarts touch ever more of them, each of which keeps what it once had. Other C libraries
    stay as they are.

    :param count: of heaps.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, 'malloc_trim'):
        libc.mallopt(M_ARENA_MAX, count)


def return_free_memory() -> None:
    """
    Give memory that nothing uses back to the system.

    glibc keeps what lies between pieces in use: loading and compiling networks again and again
    leaves ever more of it. It takes some milliseconds; other C libraries give back by themselves.
    """
    gc.collect()
    libc = ctypes.CDLL(None)
    if hasattr(libc, 'malloc_trim'):
        libc.malloc_trim(0)
