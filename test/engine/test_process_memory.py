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

"""Resident memory, of this process and of another."""

import mmap
import os
from pathlib import Path
import subprocess
import sys

from mdepth_ros.engine import process_memory
from mdepth_ros.engine.process_memory import resident_mb
from mdepth_ros.errors import MdepthError
import pytest

pytestmark = pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='asks /proc')


def test_memory_that_is_used_is_seen():
    before = resident_mb()
    # A heap could give memory that the process has had before: pages of its own are new.
    with mmap.mmap(-1, 100_000_000) as used:
        for start in range(0, len(used), mmap.PAGESIZE):
            used[start] = 1
        assert resident_mb() - before == pytest.approx(100.0, abs=10.0)


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


def test_a_system_without_proc_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(process_memory, 'PROC', tmp_path)
    with pytest.raises(MdepthError, match=f'read from {tmp_path}, which this system does not'):
        resident_mb()
