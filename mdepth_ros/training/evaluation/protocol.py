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

"""Which pixels of the truth count, and how a prediction is brought to its size."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

# Rows and columns of the ground truth that the Eigen protocol keeps (Garg et al., ECCV 2016).
GARG_ROWS, GARG_COLUMNS = (0.40810811, 0.99189189), (0.03594771, 0.96405229)


@dataclass(frozen=True)
class Protocol:
    """
    How a frame is scored, whatever the data.

    Truth between ``nearest`` and ``farthest`` [m] counts, both excluded. Predictions are clamped
    to ``clamp`` [m] after they are scaled. ``garg_crop`` leaves out sky, bonnet and borders of
    KITTI's images.
    """

    name: str
    nearest: float
    farthest: float
    clamp: tuple[float, float]
    garg_crop: bool

    def __str__(self) -> str:
        """Say it in a few words."""
        span = ('every true depth' if self.farthest == np.inf
                else f'truth from {self.nearest:g} to {self.farthest:g} m')
        return f'{self.name}: {span}, {"Garg crop" if self.garg_crop else "no crop"}'


EIGEN = Protocol('eigen', 1e-3, 80.0, (1e-3, 80.0), True)
EIGEN_BENCHMARK = Protocol('eigen_benchmark', 0.0, np.inf, (1e-3, 80.0), False)
ALL = Protocol('all', 0.1, 80.0, (0.1, 80.0), False)
PROTOCOLS = {protocol.name: protocol for protocol in (EIGEN, EIGEN_BENCHMARK, ALL)}


def scored_pixels(truth: NDArray[np.float32], protocol: Protocol) -> NDArray[np.bool_]:
    """
    Return which pixels of the truth count.

    :param truth: (H, W) true depth [m]; NaN unknown, +Inf sky: neither counts.
    :param protocol: the rules.
    :return: (H, W) bool.
    """
    inside = (truth > protocol.nearest) & (truth < protocol.farthest)
    if protocol.garg_crop:
        # Cut off, not rounded, like everybody's numbers.
        rows, columns = (slice(*(int(share * size) for share in shares)) for shares, size in
                         zip((GARG_ROWS, GARG_COLUMNS), truth.shape))
        kept = np.zeros_like(inside)
        kept[rows, columns] = True
        inside &= kept
    return inside


def predicted_at(depth: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """
    Resize a prediction as the benchmarks do: bilinearly, in inverse depth.

    :param depth: (h, w) predicted depth [m]; NaN where there is none.
    :param shape: (H, W) of the truth.
    :return: (H, W) depth [m]; NaN next to where there was none.
    """
    if depth.shape == shape:
        return depth
    height, width = shape
    inverse = cv2.resize(1.0 / depth, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(1.0 / inverse)


def relative_error(
    depth: NDArray[np.float32], truth: NDArray[np.float32], protocol: Protocol
) -> NDArray[np.float32]:
    """
    Return abs(d - t) / t of every pixel that counts.

    :param depth: (H, W) predicted depth [m], scaled already; clamped here.
    :param truth: (H, W) true depth [m].
    :param protocol: the rules.
    :return: (H, W); NaN where no truth counts, or there is no depth.
    """
    error = np.full_like(truth, np.nan)
    np.divide(np.abs(np.clip(depth, *protocol.clamp) - truth), truth, out=error,
              where=scored_pixels(truth, protocol))
    return error
