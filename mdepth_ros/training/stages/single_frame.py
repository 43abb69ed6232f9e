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

"""What S-DepthNet and PoseNet learn from: neighbours that look like the target once warped."""

import math
from typing import NamedTuple

from mdepth_ros.networks.canonical import to_depth
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.losses import smoothness
from mdepth_ros.training.ranks.reduction import mean_over_ranks
from mdepth_ros.training.stages.motion_scale import follow_scale
from mdepth_ros.training.stages.track_error import track_error
from mdepth_ros.training.stages.triplet import (
    estimate_motions,
    explain,
    follow_motions,
    Motions,
    Triplet,
)
import torch
from torch import Tensor
import torch.nn.functional as F

SMOOTHNESS_WEIGHT = 1e-3
ANCHOR_WEIGHT = 0.05


class Prediction(NamedTuple):
    """
    S-DepthNet's and PoseNet's answer to a triplet.

    ``disparities`` and ``depths`` (B, 1, H, W) [m] one entry per scale, the finest first, depths
    all at full resolution; ``posed`` PoseNet's motions, ``motions`` those by followed points where
    there are any, else PoseNet's.
    """

    disparities: list[Tensor]
    depths: list[Tensor]
    posed: Motions
    motions: Motions

    @property
    def depth(self) -> Tensor:
        """Return the depth at the finest scale."""
        return self.depths[0]


class SingleFrame(NamedTuple):
    """
    S-DepthNet's and PoseNet's answer to a triplet, and how it fits.

    ``depth`` (B, 1, H, W) [m] at the finest scale; ``motions`` by followed points where there are
    any, else PoseNet's; ``errors`` (B, 2, H, W) one entry per scale; ``warped`` the two sources by
    the finest scale; ``rough`` and ``tracks`` scalars, the smoothness term and the error at the
    followed points, 0 without them.
    """

    depth: Tensor
    motions: Motions
    errors: list[Tensor]
    warped: list[Tensor]
    rough: Tensor
    tracks: Tensor


def predict(
    model: DepthModel, seen: Triplet, K: Tensor, tracks: Tensor | None = None
) -> Prediction:
    """
    Predict depth and motions.

    :param model: its ``single`` and ``pose`` run.
    :param seen: the frames as the networks see them.
    :param K: (B, 3, 3) [px].
    :param tracks: (B, 2, N, 4) of :class:`SampleBatch`.
    :return: the answer.
    """
    disparities = [scale.float() for scale in model.single.scales(seen.target)]
    depths = [to_depth(enlarge(scale, seen.target), model.config, K) for scale in disparities]
    posed = estimate_motions(model.pose, seen)
    motions = posed if tracks is None else follow_motions(tracks, depths[0], K, otherwise=posed)
    return Prediction(disparities, depths, posed, motions)


def run_single_frame(
    model: DepthModel, clean: Triplet, seen: Triplet, K: Tensor, tracks: Tensor | None = None,
    credible: Tensor | None = None,
) -> SingleFrame:
    """
    Predict depth and motions, and warp the sources by them.

    Every scale of a decoder that has several is compared at full resolution. Differs: with
    ``tracks`` the motions that warp are solved from them, and PoseNet learns to agree with them,
    see :func:`track_error`.

    :param model: its ``single`` and ``pose`` run.
    :param clean: the frames as they were taken.
    :param seen: the frames as the networks see them.
    :param K: (B, 3, 3) [px].
    :param tracks: (B, 2, N, 4) of :class:`SampleBatch`.
    :param credible: those of them that depth learns from, and whose scale the motions follow,
        see :func:`follow_scale`; all, and none, if missing.
    :return: the answer.
    """
    disparities, depths, posed, motions = predict(model, seen, K, tracks)
    followed = K.new_zeros(())
    if tracks is not None:
        followed = track_error(depths[0].detach(), K, posed, tracks)
        if credible is None:
            followed = followed + track_error(depths[0], K, motions.detach(), tracks)
        else:
            motions = follow_scale(motions, depths[0], K, credible)
            followed = followed + track_error(depths[0], K, motions, credible)
    explanations = [explain(clean, depth, K, motions) for depth in depths]
    rough = [smoothness(scale, _shrink(clean.target, scale)) / 2 ** i
             for i, scale in enumerate(disparities)]
    return SingleFrame(depths[0], motions, [explanation.errors for explanation in explanations],
                       explanations[0].warped, torch.stack(rough).mean(), followed)


def scale_drift(depth: Tensor, anchor_depth: float) -> Tensor:
    """
    Squared logarithm of how far the frames' depth is from where it is to stay.

    Ours. Images do not tell the scale, so nothing holds it: each step is at right angles to it,
    and the depth grows, by a factor of six within 70 steps of 1e-4, until it meets its limit.

    :param depth: (B, 1, H, W) [m].
    :param anchor_depth: geometric mean that the depth of all frames keeps [m]; 0 lets it go.
    :return: scalar.
    """
    if not anchor_depth:
        return depth.new_zeros(())
    return (mean_over_ranks(depth.log().mean()) - math.log(anchor_depth)) ** 2


def enlarge(disparity: Tensor, image: Tensor) -> Tensor:
    """
    Bring a coarse scale to the image's size.

    :param disparity: (B, 1, h, w).
    :param image: (B, C, H, W).
    :return: (B, 1, H, W).
    """
    if disparity.shape[-2:] == image.shape[-2:]:
        return disparity
    return F.interpolate(disparity, image.shape[-2:], mode='bilinear', align_corners=False)


def _shrink(image: Tensor, disparity: Tensor) -> Tensor:
    """Bring the image to a coarse scale's size."""
    if disparity.shape[-2:] == image.shape[-2:]:
        return image
    return F.interpolate(image, disparity.shape[-2:], mode='area')
