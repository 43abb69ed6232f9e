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

"""Pixels that fly between two surfaces, where the networks' upsampling smeared an edge."""

import torch
from torch import Tensor
import torch.nn.functional as F

# The upsampling smears an edge over up to so many pixels: at this distance the surfaces beside the
# edge are seen, and at twice of it where they lead to.
REACH = 4
BORDER = 2 * REACH
# Nearer than any measurement, and far from overflow when inverted [m].
TOUCHING = 1e-3
# So many pixels at once stay in a core's own cache.
BAND_PIXELS = 2 ** 16


def flying_margin(depth: Tensor, tolerance: float, stride: int = 1) -> Tensor:
    """
    Tell how far pixels are from flying between a nearer surface beside them and a farther one.

    A plane is linear in inverse depth, so a straight line continues a surface to the pixel. A
    pixel flies if on one side both the surface and its continuation are nearer, and on another
    side the surface is farther. So a road seen at a grazing angle stays, and so does the face of a
    pole, however thin.

    :param depth: (H, W) depth [m]. +Inf and NaN count as farther than everything, -Inf as nearer.
    :param tolerance: how far off both surfaces, as a share of the pixel's inverse depth.
    :param stride: look at every n-th pixel only; its neighbours are those at full resolution.
    :return: (h, w) for each n-th pixel, in inverse depth [1/m]; it flies where this is below 0.
    """
    inverse = depth.nan_to_num(nan=torch.inf, posinf=torch.inf).clamp_(min=TOUCHING).reciprocal_()
    padded = F.pad(inverse[None, None], (BORDER,) * 4, mode='replicate')[0, 0]
    margin = depth.new_empty(depth[::stride, ::stride].shape)
    h, w = margin.shape
    rows = h if depth.is_cuda else max(1, BAND_PIXELS // w)
    for top in range(0, h, rows):
        _fill_band(margin[top:top + rows], padded[top * stride:], tolerance, stride)
    return margin


def _fill_band(margin: Tensor, padded: Tensor, tolerance: float, stride: int) -> None:
    """Fill the margin of some rows (h, w); padded is the inverse depth with a border."""
    h, w = margin.shape

    def tap(dy: int, dx: int) -> Tensor:
        """Return the pixels that lie so far from those of the margin."""
        top, left = BORDER + dy, BORDER + dx
        return padded[top:top + h * stride:stride, left:left + w * stride:stride]

    nearest = torch.zeros_like(margin)
    farthest = torch.full_like(margin, torch.inf)
    for dy, dx in ((0, -REACH), (0, REACH), (-REACH, 0), (REACH, 0)):
        surface = tap(dy, dx)
        continued = torch.lerp(tap(2 * dy, 2 * dx), surface, 2.0)
        torch.minimum(continued, surface, out=continued)
        torch.maximum(nearest, continued, out=nearest)
        torch.minimum(farthest, surface, out=farthest)
    here = tap(0, 0)
    not_before = nearest.sub_(here, alpha=1.0 + tolerance).neg_()
    not_behind = farthest.sub_(here, alpha=1.0 - tolerance)
    torch.maximum(not_before, not_behind, out=margin)
