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

"""What is free goes back to the system, and threads share heaps."""

import platform
import subprocess
import sys

from mdepth_ros.engine.heaps import return_free_memory
from mdepth_ros.engine.process_memory import resident_mb
import numpy as np
import pytest

COUNT_HEAPS = """
import ctypes, threading
from mdepth_ros.engine.heaps import limit_heaps
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

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='others are left alone')


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


def test_threads_share_heaps():
    def heaps(first):
        done = subprocess.run([sys.executable, '-c', COUNT_HEAPS.format(first=first)],
                              capture_output=True, text=True, check=True)
        return done.stdout.count('<heap nr=')
    assert heaps('limit_heaps()') <= 2
    assert heaps('limit_heaps(3)') == 3
    assert heaps('') > 3
