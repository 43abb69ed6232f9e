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

"""What M-DepthNet learns from: its own reprojection, and being blind in a patch."""

from collections.abc import Callable
from typing import NamedTuple

from mdepth_ros.geometry.intrinsics import stride_intrinsics
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.networks.features import MATCHING_STRIDE
from mdepth_ros.networks.multi_frame import MultiFrameOutput
from mdepth_ros.training.losses import masked_mean, minimum_error, smoothness
from mdepth_ros.training.ranks.reduction import mean_over_ranks
from mdepth_ros.training.stages.single_frame import SMOOTHNESS_WEIGHT
from mdepth_ros.training.stages.step_random import StepRandom
from mdepth_ros.training.stages.triplet import explain, Motions, Triplet
import torch
from torch import Tensor
import torch.nn.functional as F

# The paper's 100 belongs to another unit: on logarithms it teaches M-DepthNet not to look at all
# (AbsRel 0.44 after 300 steps on a single-frame depth of 0.35, with 4: 0.34).
MASK_WEIGHT = 4.0
# The blind patch is this part of the image's height and width.
PATCH_PART = 3


class MultiFrame(NamedTuple):
    """
    M-DepthNet's answer and its terms.

    ``depth`` (B, 1, H, W) [m]; ``confidence`` (B, 1, H, W) in [0, 1]; ``warped`` (B, 3, H, W) the
    source before by that depth; ``photometric`` and ``mask`` scalars, ``loss`` what is minimised.
    """

    depth: Tensor
    confidence: Tensor
    warped: Tensor
    photometric: Tensor
    mask: Tensor
    loss: Tensor


def match(
    model: DepthModel, seen: Triplet, single_depth: Tensor, K: Tensor, motions: Motions
) -> MultiFrameOutput:
    """
    Match the target with the source before it.

    :param model: its ``multi`` runs.
    :param seen: the frames as the networks see them.
    :param single_depth: (B, 1, H, W) the prior [m].
    :param K: (B, 3, 3) at the images' size [px].
    :param motions: from the target to its sources.
    :return: M-DepthNet's answer.
    """
    return _matcher(model, seen.before, single_depth, K, motions)(seen.target)


def run_multi_frame(
    model: DepthModel, clean: Triplet, seen: Triplet, single_depth: Tensor, K: Tensor,
    motions: Motions, random: StepRandom,
) -> MultiFrame:
    """
    Estimate depth by matching, and how well it explains the sources.

    Nothing flows back into ``single_depth`` or ``motions``. Differs: the blind patch's term
    compares logarithms of depth, so that it does not depend on the scale of the scene, and weighs
    4, not 100.

    Source: paper, L_M and L_mask.

    :param model: its ``multi`` runs.
    :param clean: the frames as they were taken.
    :param seen: the frames as the networks see them.
    :param single_depth: (B, 1, H, W) the prior [m].
    :param K: (B, 3, 3) at the images' size [px].
    :param motions: from the target to its sources.
    :param random: places the patches.
    :return: depth and terms.
    """
    motions, single_depth = motions.detach(), single_depth.detach()
    run = _matcher(model, seen.before, single_depth, K, motions)
    matched = run(seen.target)
    depth = matched.depth.float()
    warped, errors = explain(clean, depth, K, motions)
    photometric = (mean_over_ranks(minimum_error(errors).mean())
                   + SMOOTHNESS_WEIGHT * smoothness(1 / depth, clean.target))

    blinded, seen_part = _blind(seen.target, random)
    difference = F.smooth_l1_loss(run(blinded).depth_quarter.float().log(),
                                  matched.depth_quarter.float().log().detach(), reduction='none')
    mask = masked_mean(difference, seen_part)
    confidence = F.interpolate(matched.window_mass.float(), depth.shape[-2:])
    return MultiFrame(depth.detach(), confidence.detach(), warped[0].detach(), photometric, mask,
                      photometric + MASK_WEIGHT * mask)


def _matcher(
    model: DepthModel, source: Tensor, single_depth: Tensor, K: Tensor, motions: Motions
) -> Callable[[Tensor], MultiFrameOutput]:
    """Describe the source once, for any number of looks at the target."""
    matching = model.multi.features(source).matching[:, None]
    K = stride_intrinsics(K, MATCHING_STRIDE)
    return lambda target: model.multi(model.multi.features(target), matching, single_depth, K,
                                      motions.before[:, None])


def _blind(image: Tensor, random: StepRandom) -> tuple[Tensor, Tensor]:
    """Black out a random patch; also returns (B, 1, h, w) bool, what is still seen."""
    B, _, H, W = image.shape
    height, width = H // PATCH_PART, W // PATCH_PART
    seen = image.new_ones(B, 1, H, W, dtype=torch.bool)
    for i, (top, left) in enumerate(random.corners(B, H - height + 1, W - width + 1)):
        seen[i, :, top:top + height, left:left + width] = False
    return image * seen, seen[..., ::MATCHING_STRIDE, ::MATCHING_STRIDE]
