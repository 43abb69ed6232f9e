"""Errors in the log once a while, not at the rate of the camera."""

import re
import time
from collections.abc import Callable

REMEMBERED = 64


class ThrottledLog:
    """Logs a message unless its like, the same but for numbers, was just logged."""

    def __init__(
        self, log: Callable[[str], object], period_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Wrap a log function.

        :param log: takes the message.
        :param period_s: silence after each message of a kind [s].
        :param clock: seconds that only grow.
        """
        self._log = log
        self._period_s = period_s
        self._clock = clock
        self._last: dict[str, float] = {}
        self._silenced: dict[str, int] = {}

    def __call__(self, message: str) -> None:
        """Log a message, or count it as silenced."""
        kind = re.sub(r'\d+', '#', message)
        now = self._clock()
        if now - self._last.get(kind, -self._period_s) < self._period_s:
            self._silenced[kind] = self._silenced.get(kind, 0) + 1
            return
        if len(self._last) >= REMEMBERED:
            self._last.clear()
            self._silenced.clear()
        self._last[kind] = now
        silenced = self._silenced.pop(kind, 0)
        self._log(f'{message} ({silenced} more like this)' if silenced else message)
