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

"""Where in space followed points are, by the depth of the frame that they are followed from."""

from typing import NamedTuple

from mdepth_ros.engine.corners import WORKING_WIDTH
from mdepth_ros.engine.epipolar import Array, pixel_rays
from mdepth_ros.geometry.intrinsics import resize_intrinsics
import numpy as np
from numpy.typing import NDArray
from torch import Tensor


class Lifted(NamedTuple):
    """
    Tracks, and where in space they begin.

    ``pixels`` (B, 4, N) or more, x, y in the target first, and ``K`` (B, 3, 3), both [px of the
    working image], as tracks are as exact as that; ``points`` (B, 3, N) in the target's frame
    [network units].
    """

    pixels: Array
    points: Array
    K: Array


def lift(tracks: Tensor, depth: Tensor, K: Tensor) -> Lifted:
    """
    Find where in space tracks begin.

    In NumPy, as all that follows: with so few points a call takes longer than what it computes.

    :param tracks: (B, N, 4) or more, x, y in the target first [px of the depth].
    :param depth: (B, 1, H, W) of the target [network units].
    :param K: (B, 3, 3) intrinsics [px].
    :return: them; NaN where tracks are.
    """
    shrunk = WORKING_WIDTH / depth.shape[-1]
    pixels = tracks.transpose(1, 2).double().cpu().numpy()
    z = _read(depth[:, 0].detach().cpu().numpy(), pixels[:, :2])
    pixels = (pixels + 0.5) * shrunk - 0.5
    matrix = resize_intrinsics(K.double().cpu(), shrunk, shrunk).numpy()
    return Lifted(pixels, pixel_rays(pixels[:, :2], matrix) * z[:, None], matrix)


def _read(image: NDArray[np.float32], pixels: Array) -> Array:
    """Read (B, H, W) at x and y (B, 2, N), bilinearly and up to the border: (B, N)."""
    height, width = image.shape[1:]
    known = ~np.isnan(pixels).any(axis=1, keepdims=True)
    x, y = np.where(known, pixels, 0.0).swapaxes(0, 1)
    x, y = x.clip(0, width - 1), y.clip(0, height - 1)
    left, top = x.astype(int), y.astype(int)
    right, below = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    each, x, y = np.arange(len(image))[:, None], x - left, y - top
    above = (1 - x) * image[each, top, left] + x * image[each, top, right]
    under = (1 - x) * image[each, below, left] + x * image[each, below, right]
    read: Array = (1 - y) * above + y * under
    return read
