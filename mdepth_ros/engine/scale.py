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

    ``translation`` is its length [network units], ``angle`` its rotation [rad].
    """

    start_ns: int
    end_ns: int
    translation: float
    angle: float


class OdometryScale:
    """
    Median ratio of the odometry's translation to PoseNet's over the same frame pairs.

    Pairs in which the robot nearly stands or turns on the spot say nothing about scale and are
    left out. Once locked, the value moves by at most ``MAX_STEP`` per frame, so that depth does
    not jump.
    """

    WINDOW = 60
    NEEDED = 15
    MIN_SPEED = 0.05  # [m/s]
    MAX_ANGLE_PER_METRE = 2.0  # [rad/m], more is a turn on the spot
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
            self._poses.clear()
            self._motions.clear()
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
        silent_ns = self._newest_ns - self._poses[-1][0]
        lost = silent_ns > self.LOST_AFTER_S * 1e9
        return Scale(self._value, ScaleState.LOST if lost else ScaleState.LOCKED)

    def _compare(self, motion: Motion) -> None:
        """Add the pair's ratio, if it says anything, and follow the median."""
        start, end = self._position(motion.start_ns), self._position(motion.end_ns)
        if start is None or end is None or motion.translation <= 0:
            return
        travelled = float(np.linalg.norm(end - start))
        too_slow = travelled < self.MIN_SPEED * (motion.end_ns - motion.start_ns) * 1e-9
        if too_slow or motion.angle > self.MAX_ANGLE_PER_METRE * travelled:
            return
        self._log_ratios.append(math.log(travelled / motion.translation))
        if len(self._log_ratios) < self.NEEDED:
            return
        wanted = math.exp(median(self._log_ratios))
        if self._locked:
            low, high = self._value * (1 - self.MAX_STEP), self._value * (1 + self.MAX_STEP)
            self._value = min(max(wanted, low), high)
        else:
            self._value, self._locked = wanted, True

    def _position(self, stamp_ns: int) -> NDArray[np.float64] | None:
        """Interpolate the odometry; None outside what was received and in its gaps."""
        stamps = [stamp for stamp, _ in self._poses]
        after = bisect_left(stamps, stamp_ns)
        if after == len(stamps) or (after == 0 and stamps[0] != stamp_ns):
            return None
        if stamps[after] == stamp_ns:
            return self._poses[after][1]
        (t0, p0), (t1, p1) = self._poses[after - 1], self._poses[after]
        if t1 - t0 > self.MAX_ODOMETRY_GAP_S * 1e9:
            return None
        return p0 + (p1 - p0) * ((stamp_ns - t0) / (t1 - t0))
