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

"""What tells right depths from wrong ones, before the truth is known."""

from collections.abc import Callable
import math
from typing import NamedTuple

from mdepth_ros.geometry.projection import inside, sample, sweep
from mdepth_ros.networks.features import MATCHING_STRIDE
from mdepth_ros.networks.multi_frame import MultiFrameOutput
import torch
from torch import Tensor
import torch.nn.functional as F

CHANNELS = 14
# Without a second frame nothing was checked: neither trusted nor refused.
UNCHECKED = 0.5
_DARK = 0.02  # [image range]; photometric errors below sensor noise are alike


class Evidence(NamedTuple):
    """
    At the matching resolution; a tuple, so that exporters can take it apart.

    ``features`` (B, 14, h, w), without unit. ``span`` (B, 1, h, w), how far the search moves the
    image [px of h x w]. ``gain`` (B, 1, h, w), logarithm of how much better D_m explains the
    source than D_s. ``prior`` (B, 1, h, w), a first guess of the confidence in (0, 1).
    """

    features: Tensor
    span: Tensor
    gain: Tensor
    prior: Tensor


def thumbnail(image: Tensor) -> Tensor:
    """
    Shrink an image to the matching resolution, centred as the features are.

    :param image: (B, 3, H, W).
    :return: (B, 3, h, w).
    """
    return F.avg_pool2d(image, MATCHING_STRIDE + 1, MATCHING_STRIDE, MATCHING_STRIDE // 2,
                        count_include_pad=False)


def matching_evidence(
    matched: MultiFrameOutput, single_depth: Tensor, target: Tensor, source: Tensor, K: Tensor,
    T_source_target: Tensor,
) -> Evidence:
    """
    Look at a matching.

    :param matched: of M-DepthNet.
    :param single_depth: (B, 1, h, w) D_s [m].
    :param target: (B, 3, h, w) :func:`thumbnail` of the target.
    :param source: (B, 3, h, w) that of a source.
    :param K: (B, 3, 3) intrinsics at the matching resolution [px].
    :param T_source_target: (B, 4, 4) motion from the target to that source.
    :return: the evidence.
    """
    depth, h = matched.depth_quarter, matched.depth_quarter.shape[-2]
    pixels, in_front = sweep(
        torch.cat([depth, single_depth, matched.hypotheses[:, :1], matched.hypotheses[:, -1:]], 1),
        K, T_source_target)
    # A sideways motion leaves the outermost rows exactly on the border, but for rounding.
    seen = inside(pixels[..., :h, :], *depth.shape[-2:], slack=0.01) & in_front[..., :h, :]
    error, single_error = _photometric(target, source, pixels[..., :2 * h, :])
    _, _, farthest, nearest = pixels.split(h, dim=2)
    span = (farthest - nearest).norm(dim=1, keepdim=True)
    p = matched.probabilities
    entropy = -(p * p.clamp(min=1e-6).log()).sum(dim=1, keepdim=True) / math.log(p.shape[1])
    change = (depth / single_depth).log()
    gain = ((single_error + _DARK) / (error + _DARK)).log()
    features = torch.cat([
        matched.window_mass, entropy, change, change.abs(), span.log1p(), seen.to(depth.dtype),
        (error + _DARK).log(), gain, *_of_single_frame(single_depth, target)], dim=1)
    return Evidence(features, span, gain, matched.window_mass * (-change.abs()).exp())


def no_evidence(single_depth: Tensor, target: Tensor) -> Evidence:
    """
    Look at a frame that was matched with nothing.

    :param single_depth: (B, 1, h, w) D_s [m].
    :param target: (B, 3, h, w) :func:`thumbnail` of the frame.
    :return: the evidence.
    """
    zero = torch.zeros_like(single_depth)
    shown = torch.cat(_of_single_frame(single_depth, target), dim=1)
    features = torch.cat([zero.expand(-1, CHANNELS - shown.shape[1], -1, -1), shown], dim=1)
    return Evidence(features, zero, zero, torch.full_like(zero, UNCHECKED))


def _of_single_frame(single_depth: Tensor, target: Tensor) -> tuple[Tensor, ...]:
    """Relative depth, its edges, the image's, and the image: 6 channels."""
    log_depth = single_depth.log()
    grey = target.mean(dim=1, keepdim=True)
    return (log_depth - log_depth.mean(dim=(2, 3), keepdim=True), _slope(log_depth), _slope(grey),
            target - target.mean(dim=(1, 2, 3), keepdim=True))


def _photometric(target: Tensor, source: Tensor, pixels: Tensor) -> tuple[Tensor, ...]:
    """Mean absolute difference of 3 x 3 pixels, (B, 1, h, w) each, at (B, 2, D h, w) pixels."""
    h = target.shape[-2]
    difference = sample(source, pixels, 'border') - target.repeat(1, 1, pixels.shape[-2] // h, 1)
    errors = difference.abs().mean(dim=1, keepdim=True).split(h, dim=2)
    return F.avg_pool2d(torch.cat(errors, dim=1), 3, 1, 1, count_include_pad=False).split(1, dim=1)


def _slope(x: Tensor) -> Tensor:
    """Largest change to a neighbour, (B, 1, h, w)."""
    return _extreme(x, torch.maximum) - _extreme(x, torch.minimum)


def _extreme(x: Tensor, extreme: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Of 3 x 3 pixels, rows first; compilers have no fast pooling of a single channel."""
    x = F.pad(x, (1, 1, 1, 1), mode='replicate')
    x = extreme(extreme(x[..., :-2, :], x[..., 1:-1, :]), x[..., 2:, :])
    return extreme(extreme(x[..., :-2], x[..., 1:-1]), x[..., 2:])
