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

"""Losses against the exact depth of rendered scenes, which the parts of stage 0 share."""

import math

from mdepth_ros.networks.features import MATCHING_STRIDE
import torch
from torch import Tensor

MAX_TRUTH = 80.0  # [m], what is farther is only not to be nearer
MAX_MATCHED_TRUTH = 240.0  # [m], at S-DepthNet's scale, which may be too large
EDGE_WEIGHT, SKY_WEIGHT = 0.25, 0.2
EDGE_STRIDES = (1, 2, 4, 8)


def log_error(depth: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """
    Logarithm of depth over truth.

    :param depth: (B, 1, H, W) predicted [m].
    :param truth: (B, 1, H, W) exact [m], Inf for the sky.
    :return: (B, 1, H, W) error, 0 beyond ``MAX_TRUTH``, and (B, 1, H, W) valid: not beyond.
    """
    valid = truth < MAX_TRUTH
    return torch.where(valid, depth.log() - torch.where(valid, truth, 1.0).log(), 0.0), valid


def mean_of_each(values: Tensor, valid: Tensor) -> Tensor:
    """
    Average over the valid pixels of each image.

    :param values: (B, 1, H, W), 0 where not valid.
    :param valid: (B, 1, H, W) bool.
    :return: (B,), 0 for an image without any.
    """
    return values.sum(dim=(1, 2, 3)) / valid.sum(dim=(1, 2, 3)).clamp(min=1)


def median_ratio(depth: Tensor, truth: Tensor) -> Tensor:
    """
    Median of depth over truth, image by image.

    :param depth: (B, 1, H, W) predicted [m].
    :param truth: (B, 1, H, W) exact [m], Inf for the sky.
    :return: (B,), 1 for an image of sky alone.
    """
    ratio = torch.where(truth < MAX_TRUTH, depth / truth, torch.nan).flatten(1)
    return torch.nan_to_num(ratio.nanmedian(dim=1).values, nan=1.0)


def edge_and_sky_loss(depth: Tensor, truth: Tensor) -> Tensor:
    """
    Log error of the steps between neighbours, at four scales, and of far things too near.

    Source: Li and Snavely 2018 for the steps. A factor on the whole depth costs nothing but what
    is far: the sky, and hills at the horizon, whose exact distance no image shows.

    :param depth: (B, 1, H, W) predicted [m].
    :param truth: (B, 1, H, W) exact [m], Inf for the sky.
    :return: scalar.
    """
    error, valid = log_error(depth, truth)
    too_near = (math.log(MAX_TRUTH) - depth.log()).clamp(min=0)
    loss = SKY_WEIGHT * torch.where(valid, 0.0, too_near).mean()
    for stride in EDGE_STRIDES:
        e, v = error[..., ::stride, ::stride], valid[..., ::stride, ::stride]
        for dim in (2, 3):
            n = e.shape[dim] - 1
            both = v.narrow(dim, 1, n) & v.narrow(dim, 0, n)
            loss = loss + EDGE_WEIGHT * (
                (e.diff(dim=dim).abs() * both).sum() / both.sum().clamp(min=1))
    return loss


def multi_frame_loss(
    depth: Tensor, probabilities: Tensor, hypotheses: Tensor, truth: Tensor
) -> Tensor:
    """
    Log error of the depth, and the likelihood of the two hypotheses beside the truth.

    :param depth: (B, 1, H, W) predicted [m].
    :param probabilities: (B, D, h, w) over the hypotheses.
    :param hypotheses: (B, D, h, w) [m], uniform in inverse depth, index 0 is the far end.
    :param truth: (B, 1, H, W) at the scale of the hypotheses [m], Inf for the sky.
    :return: scalar.
    """
    valid = truth < MAX_MATCHED_TRUTH
    error = (depth.log() - torch.where(valid, truth, 1.0).log()).abs()
    loss = (error * valid).sum() / valid.sum().clamp(min=1)
    coarse = truth[..., ::MATCHING_STRIDE, ::MATCHING_STRIDE]
    D = hypotheses.shape[1]
    far, near = 1 / hypotheses[:, :1], 1 / hypotheses[:, -1:]
    place = (1 / coarse - far) / (near - far) * (D - 1)  # (B, 1, h, w), 0 at the far end
    index = torch.arange(D, device=place.device).view(1, D, 1, 1)
    wanted = (1 - (index - place).abs()).clamp(min=0)
    within = ((place >= 0) & (place <= D - 1)).float()
    likelihood = -(wanted * probabilities.clamp(min=1e-6).log()).sum(dim=1, keepdim=True)
    return loss + 0.1 * (likelihood * within).sum() / within.sum().clamp(min=1)
