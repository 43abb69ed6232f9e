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

"""Depth at another resolution, with surfaces smooth and edges sharp."""

import torch
from torch import Tensor
import torch.nn.functional as F

# A pixel between neighbours that differ by more than this share lies on an edge.
MAX_JUMP = 0.15


def resize_depth(depth: Tensor, height: int, width: int) -> Tensor:
    """
    Resize without points in the air between two surfaces.

    Within a surface the inverse depth is interpolated, which is exact on planes; across an edge
    and next to what is no measurement the nearest pixel is taken.

    :param depth: (B, 1, h, w) depth [m]; NaN invalid, +Inf beyond range, -Inf too close.
    :param height: H of the result [px].
    :param width: W of the result [px].
    :return: (B, 1, H, W) depth [m], marked like the input.
    """
    if depth.shape[2:] == (height, width):
        return depth
    smooth = 1.0 / F.interpolate(1.0 / depth, (height, width), mode='bilinear',
                                 align_corners=False)
    padded = F.pad(depth, (1, 1, 1, 1), mode='replicate')
    rows = _first_neighbour(depth.shape[2], height, depth.device)
    cols = _first_neighbour(depth.shape[3], width, depth.device)
    # Extremes of the four pixels that each bilinear value is made of.
    highest = F.max_pool2d(padded, 2, stride=1)[:, :, rows][:, :, :, cols]
    lowest = -F.max_pool2d(-padded, 2, stride=1)[:, :, rows][:, :, :, cols]
    # False for NaN as well.
    surface = (lowest > 0) & highest.isfinite() & (highest <= lowest * (1.0 + MAX_JUMP))
    nearest = F.interpolate(depth, (height, width), mode='nearest-exact')
    return torch.where(surface, smooth, nearest)


def _first_neighbour(old: int, new: int, device: torch.device) -> Tensor:
    """Index of the upper left pixel of each bilinear value, in an image padded by one."""
    centres = (torch.arange(new, device=device, dtype=torch.float64) + 0.5) * (old / new) - 0.5
    return centres.floor().long() + 1
