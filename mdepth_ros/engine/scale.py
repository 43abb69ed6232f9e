"""Metres per network unit: a constant, or what the robot's odometry says."""

import math
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass
from enum import Enum
from statistics import median

import numpy as np
from numpy.typing import NDArray


class ScaleState(Enum):
    """Whether the scale can be relied upon."""

    SEARCHING = 'searching'
    LOCKED = 'locked'
    LOST = 'lost'


@dataclass(frozen=True)
class Scale:
    """Metres per network unit, and how it stands."""

    value: float
    state: ScaleState


class FixedScale:
    """A constant, known from the start."""

    def __init__(self, value: float) -> None:
        """
        Keep the constant.

        :param value: metres per network unit, > 0.
        :raises ValueError: if it is not.
        """
        if not value > 0:
            raise ValueError(f'value must be > 0, got {value}')
        self.scale = Scale(value, ScaleState.LOCKED)


@dataclass(frozen=True)
class Motion:
    """
    What PoseNet says of the camera's motion from ``start_ns`` to ``end_ns`` [ns].

    ``T_start_end`` (4, 4) is the camera's pose at the end in the camera's frame at the start
    [network units].
    """

    start_ns: int
    end_ns: int
    T_start_end: NDArray[np.float64]


class OdometryScale:
    """
    Median ratio of the odometry's translation to PoseNet's over the same stretches.

    A stretch is the second before a frame: from frame to frame a robot moves little more than its
    odometry's noise. Those in which it nearly stands or turns on the spot, where camera and robot
    move apart, say nothing about scale and are left out. Once locked, the value moves by at most
    ``MAX_STEP`` per frame, so that depth does not jump.
    """

    WINDOW = 60
    NEEDED = 10
    STRETCH_S = 1.0
    MIN_TRAVELLED_M = 0.1
    MAX_ANGLE_PER_METRE = 1.0  # [rad/m], more is a turn on the spot
    MAX_STEP = 0.02
    HISTORY_S = 10.0
    MAX_ODOMETRY_GAP_S = 0.5
    BACK_JUMP_S = 1.0
    LOST_AFTER_S = 2.0

    def __init__(self, default: float) -> None:
        """
        Start without odometry.

        :param default: metres per network unit until there is an answer, > 0.
        :raises ValueError: if it is not.
        """
        if not default > 0:
            raise ValueError(f'default must be > 0, got {default}')
        self._value = default
        self._locked = False
        self._log_ratios: deque[float] = deque(maxlen=self.WINDOW)
        self._poses: deque[tuple[int, NDArray[np.float64]]] = deque()
        # Motions wait here for odometry that comes later than the image.
        self._motions: deque[Motion] = deque(maxlen=self.WINDOW)
        # The last ones that were compared, each from where the one before it ended.
        self._chain: deque[Motion] = deque()
        self._newest_ns = 0

    def add_odometry(self, stamp_ns: int, position: NDArray[np.float64]) -> None:
        """
        Take one odometry reading.

        One that comes out of order is left out; where time went back further than that, as when
        a bag starts again, the readings start over.

        :param stamp_ns: its time [ns].
        :param position: (3,) position in the odometry frame [m].
        """
        if self._poses and stamp_ns <= self._poses[-1][0]:
            if self._poses[-1][0] - stamp_ns < self.BACK_JUMP_S * 1e9:
                return
            self._start_over()
        self._poses.append((stamp_ns, position))
        while stamp_ns - self._poses[0][0] > self.HISTORY_S * 1e9:
            self._poses.popleft()
        while self._motions and self._motions[0].end_ns <= stamp_ns:
            self._compare(self._motions.popleft())

    def add_motion(self, motion: Motion) -> None:
        """
        Take one motion of the camera, to be compared with the odometry's.

        :param motion: as PoseNet sees it.
        """
        if motion.end_ns <= self._newest_ns:  # time went back: what we have is of another run
            self._start_over()
        self._newest_ns = motion.end_ns
        if self._poses and motion.end_ns <= self._poses[-1][0]:
            self._compare(motion)
        else:
            self._motions.append(motion)

    @property
    def scale(self) -> Scale:
        """The scale now."""
        if not self._locked:
            return Scale(self._value, ScaleState.SEARCHING)
        heard_ns = self._poses[-1][0] if self._poses else -math.inf
        lost = self._newest_ns - heard_ns > self.LOST_AFTER_S * 1e9
        return Scale(self._value, ScaleState.LOST if lost else ScaleState.LOCKED)

    def _start_over(self) -> None:
        """Forget readings and motions; the scale stays."""
        self._poses.clear()
        self._motions.clear()
        self._chain.clear()

    def _compare(self, motion: Motion) -> None:
        """Add the ratio of the stretch that ends here, if there is one, and follow the median."""
        if self._chain and self._chain[-1].end_ns != motion.start_ns:
            self._chain.clear()
        self._chain.append(motion)
        while motion.end_ns - self._chain[0].end_ns >= self.STRETCH_S * 1e9:
            self._chain.popleft()
        log_ratio = self._newest_log_ratio()
        if log_ratio is None:
            return
        self._log_ratios.append(log_ratio)
        if len(self._log_ratios) < self.NEEDED:
            return
        wanted = math.exp(median(self._log_ratios))
        if self._locked:
            low, high = self._value * (1 - self.MAX_STEP), self._value * (1 + self.MAX_STEP)
            self._value = min(max(wanted, low), high)
        else:
            self._value, self._locked = wanted, True

    def _newest_log_ratio(self) -> float | None:
        """Compare odometry and PoseNet over the newest stretch."""
        start_ns, end_ns = self._chain[0].start_ns, self._chain[-1].end_ns
        start, end = self._position(start_ns), self._position(end_ns)
        if start is None or end is None or end_ns - start_ns < self.STRETCH_S * 1e9:
            return None
        T_start_end = np.eye(4)
        for motion in self._chain:
            T_start_end = T_start_end @ motion.T_start_end
        travelled = float(np.linalg.norm(end - start))
        seen = float(np.linalg.norm(T_start_end[:3, 3]))
        cosine = (float(np.trace(T_start_end[:3, :3])) - 1) / 2
        angle = math.acos(min(max(cosine, -1.0), 1.0))
        if (seen <= 0 or travelled < self.MIN_TRAVELLED_M
                or angle > self.MAX_ANGLE_PER_METRE * travelled):
            return None
        return math.log(travelled / seen)

    def _position(self, stamp_ns: int) -> NDArray[np.float64] | None:
        """Interpolate the odometry; None outside what was received and in its gaps."""
        after = bisect_left(self._poses, stamp_ns, key=lambda pose: pose[0])
        if after == len(self._poses) or (after == 0 and self._poses[0][0] != stamp_ns):
            return None
        if self._poses[after][0] == stamp_ns:
            return self._poses[after][1]
        (t0, p0), (t1, p1) = self._poses[after - 1], self._poses[after]
        if t1 - t0 > self.MAX_ODOMETRY_GAP_S * 1e9:
            return None
        return p0 + (p1 - p0) * ((stamp_ns - t0) / (t1 - t0))
