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

"""How much memory glibc keeps for a process; other C libraries are left as they are."""

import ctypes
import gc

# Of malloc.h.
M_ARENA_MAX = -8


def limit_heaps(count: int = 2) -> None:
    """
    Let all threads share few heaps, before they are started.

    glibc gives threads heaps of their own, up to eight for each core. Threads that come and go
    with restarts touch ever more of them, each of which keeps what it once had.

    :param count: of heaps.
    """
    libc = _glibc()
    if libc is not None:
        libc.mallopt(M_ARENA_MAX, count)


def trim_heaps() -> None:
    """
    Give memory that nothing uses back to the system.

    glibc keeps what lies between pieces in use, and images, depths and clouds that come and go
    leave ever more of it. It takes some milliseconds, in which other threads wait if they need
    memory.
    """
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


def return_free_memory() -> None:
    """Give back what only cycles of objects held, too; it takes a tenth of a second."""
    gc.collect()
    trim_heaps()


def _glibc() -> ctypes.CDLL | None:
    """Return this process's C library if it is glibc."""
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, 'malloc_trim') else None
