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

"""PADS, pixel-wise adaptive depth sampling: where to search, and how wide."""

from mdepth_ros.geometry.shapes import require_shape
import torch
from torch import Tensor
import torch.nn.functional as F

# Share of the new observation in each update, and the margin on the observed ratio.
UPDATE_RATE = 0.01
MARGIN = 1.2


def depth_hypotheses(single_depth: Tensor, delta: Tensor, count: int) -> Tensor:
    """
    Spread hypotheses around the single-frame depth, uniform in inverse depth.

    Source: paper, PADS; D_min = D_s / (1 + delta), D_max = D_s (1 + delta).

    :param single_depth: (B, 1, h, w) D_s [m].
    :param delta: (1, 1, h, w) relative half-width of the search range, >= 0.
    :param count: number of hypotheses D, at least 2.
    :return: (B, D, h, w) depths [m]; index 0 is the far end.
    :raises ValueError: if a shape differs from the ones above, or count is below 2.
    """
    require_shape('single_depth', single_depth, ('B', 1, 'h', 'w'))
    require_shape('delta', delta, (1, 1, single_depth.shape[2], single_depth.shape[3]))
    if count < 2:
        raise ValueError(f'count must be at least 2, got {count}')
    step = torch.linspace(0.0, 1.0, count, dtype=single_depth.dtype, device=single_depth.device)
    widening = 1.0 + delta
    far, near = 1.0 / (single_depth * widening), 1.0 / (single_depth / widening)
    return 1.0 / (far + step.view(1, count, 1, 1) * (near - far))


@torch.no_grad()
def observed_ratio(multi_depth: Tensor, single_depth: Tensor, height: int, width: int) -> Tensor:
    """
    By what factor M-DepthNet moved the depth, up or down.

    :param multi_depth: (B, 1, H, W) D_m [m], at any size.
    :param single_depth: (B, 1, H, W) D_s [m], at the same size.
    :param height: rows of delta.
    :param width: columns of delta.
    :return: (B, 1, height, width) max(D_m / D_s, D_s / D_m), at least 1, without gradient.
    :raises ValueError: if a shape differs from the ones above.
    """
    require_shape('multi_depth', multi_depth, ('B', 1, 'H', 'W'))
    require_shape('single_depth', single_depth, (multi_depth.shape[0], 1, 'H', 'W'))
    multi = F.interpolate(multi_depth, (height, width), mode='bilinear', align_corners=True)
    single = downsample_nearest(single_depth, height, width)
    return torch.maximum(multi / single, single / multi)


@torch.no_grad()
def update_delta(delta: Tensor, ratio: Tensor) -> Tensor:
    """
    Move the search width towards the largest ratio of the batch, by the paper's rule.

    delta <- 0.99 delta + 0.01 * 1.2 (r - 1): the maximum makes delta grow with the batch size.

    :param delta: (1, 1, h, w) present width.
    :param ratio: (B, 1, h, w) of :func:`observed_ratio`.
    :return: (1, 1, h, w) new width, without gradient.
    :raises ValueError: if a shape differs from the ones above.
    """
    require_shape('delta', delta, (1, 1, 'h', 'w'))
    require_shape('ratio', ratio, ('B', 1, *delta.shape[2:]))
    largest = ratio.amax(dim=0, keepdim=True)
    return (1 - UPDATE_RATE) * delta + UPDATE_RATE * MARGIN * (largest - 1)


def resize_delta(delta: Tensor, height: int, width: int) -> Tensor:
    """
    Bring the width map to the running resolution.

    :param delta: (1, 1, h, w) as stored.
    :param height: rows wanted.
    :param width: columns wanted.
    :return: (1, 1, height, width); the same tensor where the size already fits.
    """
    if tuple(delta.shape[2:]) == (height, width):
        return delta
    return F.interpolate(delta, (height, width), mode='bilinear', align_corners=False)


def downsample_nearest(depth: Tensor, height: int, width: int) -> Tensor:
    """
    Pick single pixels: an average of depths across an edge lies on neither surface.

    :param depth: (B, 1, H, W) depth [m].
    :param height: rows wanted.
    :param width: columns wanted.
    :return: (B, 1, height, width) depth [m].
    """
    if tuple(depth.shape[2:]) == (height, width):
        return depth
    return F.interpolate(depth, (height, width), mode='nearest')
