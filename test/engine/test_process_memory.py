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

"""Resident memory, of this process and of another; what is free goes back to the system."""

import os
from pathlib import Path
import platform
import subprocess
import sys

from mdepth_ros.engine.process_memory import resident_mb, return_free_memory
import numpy as np
import pytest

COUNT_HEAPS = """
import ctypes, threading
from mdepth_ros.engine.process_memory import limit_heaps
{first}
together = threading.Barrier(6)
def allocate():
    kept = [bytes(50_000) for _ in range(10)]
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
stdout = ctypes.c_void_p(libc.fdopen(1, b'w'))
libc.malloc_info(0, stdout)
libc.fflush(stdout)
"""

pytestmark = pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='asks /proc')
GLIBC = pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='others are left alone')


def test_memory_that_is_used_is_seen():
    before = resident_mb()
    used = bytearray(b'x' * 100_000_000)
    assert resident_mb() - before == pytest.approx(100.0, abs=10.0)
    del used


def test_another_process_until_it_ends():
    with subprocess.Popen([sys.executable, '-c', 'print(flush=True); input()'],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        # Until it has begun it has next to no memory.
        process.stdout.readline()
        assert 1 < resident_mb(process.pid) < 100
        process.kill()
        # Wait for its end, and leave it a zombie: a process without memory.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(ProcessLookupError):
            resident_mb(process.pid)
    with pytest.raises(ProcessLookupError):
        resident_mb(process.pid)


@GLIBC
def test_holes_between_pieces_in_use_go_back():
    # 200 MB in pieces too small for pages of their own, of which every hundredth stays.
    pieces = [np.ones(12_500) for _ in range(2000)]
    full = resident_mb()
    kept = pieces[::100]
    del pieces
    assert resident_mb() > full - 50
    return_free_memory()
    assert resident_mb() < full - 150
    assert all(piece.sum() == 12_500 for piece in kept)


@GLIBC
def test_threads_share_heaps():
    def heaps(first):
        done = subprocess.run([sys.executable, '-c', COUNT_HEAPS.format(first=first)],
                              capture_output=True, text=True, check=True)
        return done.stdout.count('<heap nr=')
    assert heaps('limit_heaps()') <= 2
    assert heaps('limit_heaps(3)') == 3
    assert heaps('') > 3
