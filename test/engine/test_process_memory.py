"""Resident memory, of this process and of another."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mdepth_ros.engine.process_memory import resident_mb

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
