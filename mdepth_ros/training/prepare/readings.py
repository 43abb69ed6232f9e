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

"""What another topic said around the moment of an image."""

from collections import deque
from typing import Generic, TypeVar

Value = TypeVar('Value')


class Readings(Generic[Value]):
    """
    Readings of one topic that were received lately, by their stamps.

    :param keep_ns: forget those that were received so long before the newest [ns].
    """

    def __init__(self, keep_ns: int) -> None:
        self._keep_ns = keep_ns
        self._readings: deque[tuple[int, int, Value]] = deque()

    def add(self, received_ns: int, stamp_ns: int, value: Value) -> None:
        """
        Take one, in the order of their arrival.

        :param received_ns: when it was received [ns].
        :param stamp_ns: what time it is about [ns].
        :param value: what it says.
        """
        while self._readings and received_ns - self._readings[0][0] > self._keep_ns:
            self._readings.popleft()
        self._readings.append((received_ns, stamp_ns, value))

    def nearest(self, stamp_ns: int, within_ns: int) -> Value | None:
        """
        Find the reading of this time.

        :param stamp_ns: the time [ns].
        :param within_ns: how far off it may be [ns].
        :return: the nearest one, or None.
        """
        found = min(self._readings, key=lambda reading: abs(reading[1] - stamp_ns), default=None)
        return found[2] if found and abs(found[1] - stamp_ns) <= within_ns else None

    def around(self, stamp_ns: int, gap_ns: int) -> tuple[Value, Value, float] | None:
        """
        Find the readings before and after this time.

        :param stamp_ns: the time [ns].
        :param gap_ns: how far they may be apart [ns].
        :return: both, and where between them the time is in [0, 1]; the same one twice where it is
            of this very time. None at the ends and in gaps.
        """
        before = max((r for r in self._readings if r[1] <= stamp_ns),
                     key=lambda reading: reading[1], default=None)
        after = min((r for r in self._readings if r[1] >= stamp_ns),
                    key=lambda reading: reading[1], default=None)
        if before is None or after is None or after[1] - before[1] > gap_ns:
            return None
        span = after[1] - before[1]
        return before[2], after[2], (stamp_ns - before[1]) / span if span else 0.0
