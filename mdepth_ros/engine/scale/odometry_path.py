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

"""Where the robot's odometry says it was, and how far it went between two times."""

from bisect import bisect_left, bisect_right

from mdepth_ros.engine.scale.steps import without_outliers
import numpy as np
from numpy.typing import NDArray


class OdometryPath:
    """
    The odometry readings of the last seconds, in the order of their stamps.

    Readings that lie apart from the rest and wheels that slip show as steps of another velocity
    than their neighbours'; such steps count with the velocity of the others.
    """

    HISTORY_S = 10.0
    MAX_GAP_S = 0.5
    BACK_JUMP_S = 1.0
    MARGIN_S = 0.15  # what is looked at before and after a stretch

    def __init__(self) -> None:
        """Start without readings."""
        self._stamps: list[int] = []
        self._positions: list[NDArray[np.float64]] = []

    def clear(self) -> None:
        """Forget all readings."""
        self._stamps.clear()
        self._positions.clear()

    def jumps_back(self, stamp_ns: int) -> bool:
        """Tell whether a time is too old to be merely late, as when a bag starts again."""
        return bool(self._stamps) and self._stamps[-1] - stamp_ns > self.BACK_JUMP_S * 1e9

    def add(self, stamp_ns: int, position: NDArray[np.float64]) -> None:
        """
        Take one reading; those that come late go where they belong, repeated ones are left out.

        :param stamp_ns: its time [ns].
        :param position: (3,) position in the odometry frame [m].
        """
        at = bisect_left(self._stamps, stamp_ns)
        if at < len(self._stamps) and self._stamps[at] == stamp_ns:
            return
        self._stamps.insert(at, stamp_ns)
        self._positions.insert(at, position)
        old = bisect_left(self._stamps, self._stamps[-1] - round(self.HISTORY_S * 1e9))
        del self._stamps[:old], self._positions[:old]

    def reaches(self, stamp_ns: int) -> bool:
        """Tell whether what follows a time has come, as far as it is looked at."""
        return bool(self._stamps) and self._stamps[-1] >= stamp_ns + self.MARGIN_S * 1e9

    def displacement(self, start_ns: int, end_ns: int) -> NDArray[np.float64] | None:
        """
        Measure how far the robot went.

        :param start_ns: from when [ns].
        :param end_ns: until when [ns].
        :return: (3,) [m]; None outside of what was received and across its gaps.
        """
        margin_ns = round(self.MARGIN_S * 1e9)
        first = max(bisect_right(self._stamps, start_ns - margin_ns) - 1, 0)
        last = bisect_left(self._stamps, end_ns + margin_ns)
        stamps = np.array(self._stamps[first:last + 1], np.int64)
        if len(stamps) < 2 or stamps[0] > start_ns or stamps[-1] < end_ns:
            return None
        seconds = np.diff(stamps) * 1e-9
        if seconds.max() > self.MAX_GAP_S:
            return None
        steps = np.diff(np.stack(self._positions[first:last + 1]), axis=0)
        velocities = without_outliers(steps / seconds[:, None])
        inside = np.clip(stamps, start_ns, end_ns)
        travelled: NDArray[np.float64] = (np.diff(inside) * 1e-9) @ velocities
        return travelled
