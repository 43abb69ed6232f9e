"""Resident memory, of this process and of another; what is free goes back to the system."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mdepth_ros.engine.process_memory import resident_mb, return_free_memory

pytestmark = pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='asks /proc')


def test_memory_that_is_used_is_seen():
    before = resident_mb()
    used = bytearray(b'x' * 100_000_000)
    assert resident_mb() - before == pytest.approx(100.0, abs=10.0)
    del used


def test_another_process_until_it_ends():
    with subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE) as process:
        assert 1 < resident_mb(process.pid) < 100
        process.kill()
        # Wait for its end, and leave it a zombie: a process without memory.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(ProcessLookupError):
            resident_mb(process.pid)
    with pytest.raises(ProcessLookupError):
        resident_mb(process.pid)


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='others give back by themselves')
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
