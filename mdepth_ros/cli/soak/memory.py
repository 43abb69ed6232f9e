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

"""The memory of another process, each second."""

import threading
import time
from types import TracebackType

from mdepth_ros.cli.soak.observed import MemorySample
from mdepth_ros.engine.process_memory import resident_mb

PERIOD_S = 1.0


class MemoryWatch:
    """
    Takes samples in a thread until the process ends or the watch is closed; a context manager.

    :param process: its number.
    """

    def __init__(self, process: int) -> None:
        self.samples = [MemorySample(time.time_ns(), resident_mb(process))]
        self._process = process
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name='memory', daemon=True)
        self._thread.start()

    def __enter__(self) -> 'MemoryWatch':
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        """Take a sample each second."""
        while not self._closing.wait(PERIOD_S):
            try:
                self.samples.append(MemorySample(time.time_ns(), resident_mb(self._process)))
            except ProcessLookupError:
                return
