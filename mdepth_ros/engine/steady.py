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

"""Depth that does not jump when the source, the mode or the network's mood changes."""

import math

from mdepth_ros.engine.comparison import compare, every_nth
from torch import Tensor

# How long a jump takes to come through [s]: to 63 % of it.
FORGETTING_S = 5.0
# No more comes through at once after a pause than in this time [s].
LONGEST_S = 0.2
# How far the camera moves ahead until it is known by how much depth changes with it without a
# reason [depths of what it sees].
LEARNING_DEPTHS = 4.0
# The motion is known to about a quarter of its direction: moving aside may look like moving ahead.
ASIDE = 0.25
# Sky and background lie beyond so many times the middle depth.
BACKGROUND = 2.0
# Depth is never changed by more than this [logarithm].
MOST = math.log(2)
# A step much shorter than this tells nothing about the drift [depths].
LEAST_STEP = 0.005
# Every so manieth pixel is compared, in both directions.
STRIDE = 8
FEWEST_PIXELS = 50


class SteadyDepth:
    """
    Takes the jumps out of the depth's overall scale, and gives way to them bit by bit.

    A frame's depth is brought into the frame before by the camera's motion and compared with that
    one's. What the motion does not explain is taken back at first, and exponentially forgotten,
    so that the scale stays the network's in the long run. A motion that is always a little too
    short, or a network that draws far things too near, looks like a jump in every frame: that
    drift is learned, as a filter learns a gyroscope's bias, and is no jump. It goes with the way
    ahead, and with some of the way aside, as the direction is not known that well; where the
    camera turns, what it sees stays as far away. What matching brings where it begins or ends is
    no drift, either. Where the motion is unknown, as where matching ends, both frames still have
    their single-frame depth: by how much more the depth changes is a jump. Shape is left alone:
    one factor for all pixels. What moves by itself is no jump, unless it fills half of the picture
    and half of what is not background.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the last frame."""
        self._last: Tensor | None = None
        self._above_single = 0.0  # the last frame's depth [logarithm]
        self._log_factor = 0.0
        self._drift = 0.0  # of the logarithm, per depth moved ahead

    def __call__(
        self, depth: Tensor, single_depth: Tensor, K: Tensor, T_previous_target: Tensor | None,
        elapsed_s: float,
    ) -> float:
        """
        Follow the depth, slowly where it jumps.

        :param depth: (1, 1, H, W) of the newest frame [network units].
        :param single_depth: (1, 1, H, W) of S-DepthNet alone [network units].
        :param K: (1, 3, 3) [px].
        :param T_previous_target: (1, 4, 4) motion from it to the frame before, at its scale; None
            where that is unknown.
        :param elapsed_s: since the frame before, :data:`LONGEST_S` where there is none [s].
        :return: factor for the depth and the motions that go with it.
        """
        above_single = _above(depth, single_depth)
        matched = above_single - self._above_single
        if self._last is not None and T_previous_target is not None:
            self._take_back(*_jump(depth, self._last, K, T_previous_target), matched)
            elapsed_s = min(elapsed_s, LONGEST_S)
        elif self._last is not None:
            self._log_factor -= matched
        self._log_factor *= math.exp(-elapsed_s / FORGETTING_S)
        self._log_factor = max(-MOST, min(self._log_factor, MOST))
        self._last, self._above_single = depth, above_single
        return math.exp(self._log_factor)

    def _take_back(self, jump: float, way: float, matched: float) -> None:
        """Take back what is no drift of a jump [logarithm], and learn the drift [depths]."""
        jump -= self._drift * max(-LEARNING_DEPTHS, min(way, LEARNING_DEPTHS))
        self._drift += (jump - matched) / LEARNING_DEPTHS * way / (abs(way) + LEAST_STEP)
        self._log_factor -= jump


def _above(depth: Tensor, single_depth: Tensor) -> float:
    """Return by how much a depth is above another one [logarithm]; 0 where there is none."""
    z = every_nth(depth, STRIDE)
    ratio = (z / every_nth(single_depth, STRIDE)).log()
    known = ratio.isfinite()
    return _agreed(ratio[known], z[known]) if known.any() else 0.0


def _jump(depth: Tensor, last: Tensor, K: Tensor, T: Tensor) -> tuple[float, float]:
    """
    Compare the depth with that of the frame before.

    Returns the log ratio, and how far the camera moved ahead [depths]; (0, 0) where too little is
    seen in both.
    """
    compared = compare(depth, last, K, T, STRIDE)
    if int(compared.seen.sum()) < FEWEST_PIXELS:
        return 0.0, 0.0
    z = compared.depth[compared.seen]
    way = (T[0, 2, 3] + ASIDE * T[0, :2, 3].norm()) / z.median()
    return _agreed(compared.log_ratio[compared.seen], z), float(way)


def _agreed(change: Tensor, z: Tensor) -> float:
    """Return of a change what the median of all shows, and that of all but the background."""
    whole, near = float(change.median()), float(change[z <= BACKGROUND * z.median()].median())
    return 0.0 if whole * near < 0 else min(whole, near, key=abs)
