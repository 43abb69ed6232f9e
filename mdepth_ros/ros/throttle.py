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

"""Errors in the log once a while, not at the rate of the camera."""

from collections.abc import Callable
import re
import threading
import time

# Kinds of messages in one period; more are a flood of garbage, of which these are examples.
MOST_KINDS = 8
# Numbers, also those of hex dumps, differ from message to message of a kind.
VARYING = re.compile(r'[-+]?\d[\w.+-]*|\b[0-9a-f]{2}\b|\bnan\b|\binf\b')


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
        # The worker and the executor's callbacks both report.
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._silenced: dict[str, int] = {}

    def __call__(self, message: str) -> None:
        """Log a message, or count it as silenced."""
        with self._lock:
            text = self._due(message)
        if text is not None:
            self._log(text)

    def _due(self, message: str) -> str | None:
        """Return what to log now, if anything."""
        kind = VARYING.sub('#', message)
        now = self._clock()
        recent = {known: last for known, last in self._last.items()
                  if now - last < self._period_s}
        if kind in recent or len(recent) >= MOST_KINDS:
            self._silenced[kind] = self._silenced.get(kind, 0) + 1
            if len(self._silenced) > MOST_KINDS:
                self._silenced.pop(next(iter(self._silenced)))
            return None
        self._last = recent | {kind: now}
        silenced = self._silenced.pop(kind, 0)
        return f'{message} ({silenced} more like this)' if silenced else message
