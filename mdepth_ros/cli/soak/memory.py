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
