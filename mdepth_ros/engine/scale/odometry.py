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

"""Metres from the robot's odometry: how far it went to how far the camera thinks it went."""

from collections import deque
from dataclasses import dataclass
import math

from mdepth_ros.engine.frames import DepthEstimate
from mdepth_ros.engine.scale.odometry_path import OdometryPath
from mdepth_ros.engine.scale.ratios import Ratios
from mdepth_ros.engine.scale.state import check_positive, Scale, ScaleState
from mdepth_ros.engine.scale.steps import without_outliers
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Motion:
    """
    How the camera moved from ``start_ns`` to ``end_ns`` [ns] by its images.

    ``T_start_end`` (4, 4) is the camera's pose at the end in the camera's frame at the start
    [network units].
    """

    start_ns: int
    end_ns: int
    T_start_end: NDArray[np.float64]


class OdometryScale:
    """
    Robust mean of the log ratios of the odometry's displacement to the camera's.

    They are taken over stretches of some frames, one after the other, so that none shares its
    noise with the next: short enough that most have no wrong frame in them, long enough that a
    robot moves more than its odometry's noise. Those in which it nearly stands, or turns on the
    spot, where camera and robot move apart, say nothing about scale and are left out.
    """

    STRETCH_S = 0.2
    MIN_TRAVELLED_M = 0.05
    LONGEST_S = 1.0
    MAX_ANGLE_PER_METRE = 0.7  # [rad/m], more is a turn on the spot
    # Locked after so many stretches that last so long together and agree so well.
    NEEDED = 7
    NEEDED_S = 2.3
    NEEDED_ERROR = 0.06
    LOST_AFTER_S = 2.0
    WAITING = 600  # motions that wait for odometry

    def __init__(self, default: float) -> None:
        """
        Start without odometry.

        :param default: metres per network unit until there is an answer, > 0.
        :raises ValueError: if it is not.
        """
        check_positive('default', default)
        self._value = default
        self._locked = False
        self._ratios = Ratios()
        self._moved_s = 0.0
        self._path = OdometryPath()
        self._motions: deque[Motion] = deque(maxlen=self.WAITING)
        self._stretch: list[Motion] = []
        self._newest_ns = 0
        self._heard_ns = 0

    @property
    def scale(self) -> Scale:
        """Return the scale now."""
        if not self._locked:
            return Scale(self._value, ScaleState.SEARCHING)
        lost = self._newest_ns - self._heard_ns > self.LOST_AFTER_S * 1e9
        return Scale(self._value, ScaleState.LOST if lost else ScaleState.LOCKED)

    def follow(self, estimate: DepthEstimate) -> None:
        """Take the motion that an estimate tells of, if it does."""
        if estimate.T_previous_target is None or estimate.previous_stamp_ns is None:
            self._go_on_to(estimate.stamp_ns)
            return
        T = estimate.T_previous_target.cpu().double().numpy()
        T[:3, 3] /= estimate.scale
        self.add_motion(Motion(estimate.previous_stamp_ns, estimate.stamp_ns, T))

    def add_odometry(self, stamp_ns: int, position: NDArray[np.float64]) -> None:
        """
        Take one odometry reading, in any order.

        :param stamp_ns: its time [ns]; where time went back, as when a bag starts again, the
            readings start over, and the scale stays.
        :param position: (3,) position in the odometry frame [m]; left out unless finite.
        """
        if not np.isfinite(position).all():
            return
        if self._path.jumps_back(stamp_ns):
            self._path.clear()
            if self._newest_ns - stamp_ns > self._path.BACK_JUMP_S * 1e9:
                self._forget_motions()
            else:  # the images went back before: their motions are of this run
                self._heard_ns = stamp_ns
        self._path.add(stamp_ns, position)
        self._heard_ns = max(self._heard_ns, stamp_ns)

    def add_motion(self, motion: Motion) -> None:
        """
        Take one motion of the camera and compare those for which the odometry has come.

        :param motion: as the images tell it.
        """
        self._go_on_to(motion.end_ns)
        self._motions.append(motion)
        while self._motions and self._path.reaches(self._motions[0].end_ns):
            self._compare(self._motions.popleft())

    def _go_on_to(self, stamp_ns: int) -> None:
        """Note how late it is; where time went back, forget what is of the run before."""
        if stamp_ns <= self._newest_ns:
            self._forget_motions()
            self._heard_ns = stamp_ns
            if self._path.jumps_back(stamp_ns):  # otherwise the odometry went back before
                self._path.clear()
        self._newest_ns = stamp_ns

    def _forget_motions(self) -> None:
        """Forget those that wait for odometry or for more of their stretch."""
        self._motions.clear()
        self._stretch.clear()

    def _compare(self, motion: Motion) -> None:
        """Lengthen the stretch by a motion, and take its ratio once it is long enough."""
        if self._stretch and self._stretch[-1].end_ns != motion.start_ns:
            self._stretch.clear()
        if motion.end_ns - motion.start_ns > self.LONGEST_S * 1e9:  # the robot may have stopped
            self._stretch.clear()
            return
        self._stretch.append(motion)
        start_ns, end_ns = self._stretch[0].start_ns, motion.end_ns
        seconds = (end_ns - start_ns) * 1e-9
        displacement = self._path.displacement(start_ns, end_ns)
        if displacement is None:
            self._stretch.clear()
            return
        travelled = float(np.linalg.norm(displacement))
        if seconds < 0.99 * self.STRETCH_S or travelled < self.MIN_TRAVELLED_M:
            if seconds > self.LONGEST_S:
                self._stretch.clear()
            return
        log_ratio = self._log_ratio(travelled)
        self._stretch.clear()
        if log_ratio is not None:
            self._take(log_ratio, seconds)

    def _log_ratio(self, travelled: float) -> float | None:
        """Compare a way by odometry [m] with the camera's; None where the robot turns."""
        R = np.eye(3)
        velocities, seconds = [], []
        for motion in self._stretch:
            seconds.append((motion.end_ns - motion.start_ns) * 1e-9)
            velocities.append(R @ motion.T_start_end[:3, 3] / seconds[-1])
            R = R @ motion.T_start_end[:3, :3]
        seen = float(np.linalg.norm(seconds @ without_outliers(np.stack(velocities))))
        cosine = (float(np.trace(R)) - 1) / 2
        angle = math.acos(min(max(cosine, -1.0), 1.0))
        if not seen > 0 or angle > self.MAX_ANGLE_PER_METRE * travelled:
            return None
        return math.log(travelled / seen)

    def _take(self, log_ratio: float, seconds: float) -> None:
        """Follow one more ratio."""
        location = self._ratios.add(log_ratio)
        self._moved_s += seconds
        self._value = math.exp(location.mean)
        self._locked = self._locked or (
            len(self._ratios) >= self.NEEDED and self._moved_s >= self.NEEDED_S
            and location.error <= self.NEEDED_ERROR)
