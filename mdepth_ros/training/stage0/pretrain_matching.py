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

"""
Stage 0: M-DepthNet and TrustNet on synthetic scenes with exact depth, beside a frozen S-DepthNet.

``torchrun --nproc-per-node 2 -m mdepth_ros.training.stage0.pretrain_matching
--weights single.safetensors --out matched.safetensors --steps 4500``, see
:mod:`mdepth_ros.training.stage0.pool_training`. It matches as the robot does: the motion is solved
for by S-DepthNet's depth, right or wrong, and the truth is brought to the scale of that motion.
"""

import argparse
from dataclasses import dataclass
import math
from pathlib import Path

from mdepth_ros.engine.lifted_tracks import lift
from mdepth_ros.engine.resection import solve_motion
from mdepth_ros.geometry.intrinsics import invert_intrinsics, stride_intrinsics
from mdepth_ros.geometry.projection import backproject, inside, pixel_grid, project, transform
from mdepth_ros.networks.canonical import to_depth
from mdepth_ros.networks.checkpoint import load_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.networks.evidence import Evidence, matching_evidence, no_evidence, thumbnail
from mdepth_ros.networks.features import MATCHING_STRIDE
from mdepth_ros.networks.hypotheses import downsample_nearest
from mdepth_ros.training.losses import masked_mean
from mdepth_ros.training.stage0.from_imagenet import quick_autocast, quick_to_train, WEIGHT_DECAY
from mdepth_ros.training.stage0.pair_pool import PairBatch, PairPool, SIZES
from mdepth_ros.training.stage0.pool_training import (
    add_arguments,
    processes,
    read_photographs,
    run,
    train_stage,
)
from mdepth_ros.training.stage0.pretrain import BATCH, CAPACITY
from mdepth_ros.training.stage0.truth_losses import MAX_TRUTH, median_ratio, multi_frame_loss
import numpy as np
import torch
from torch import nn, Tensor

# Points that the motion is solved from, and how well they are followed [px of the working image].
POINTS = 150
TRACK_NOISE_PX = 0.3
# The motion's scale is taken for the depth's, unless it is further from it than this.
SCALE_RANGE = 1.5
# A motion that moves the median point by less says nothing about scale [image widths].
NO_PARALLAX = 0.002


@dataclass(frozen=True)
class Losses:
    """
    What is minimised, and how it goes.

    ``multi`` of M-DepthNet, ``trust`` of TrustNet; ``change``, the error of the blend over that of
    S-DepthNet, is for people.
    """

    multi: Tensor
    trust: Tensor
    change: Tensor


def step_losses(model: DepthModel, batch: PairBatch) -> Losses:
    """
    Match a batch.

    :param model: with S-DepthNet in eval mode.
    :param batch: pairs with their truth.
    :return: the losses; no gradient goes from TrustNet's to M-DepthNet.
    """
    with torch.no_grad(), quick_autocast():
        disparity, features = model.single(batch.target)
    single = to_depth(disparity.float(), model.config, batch.K)
    T, scale = solve_as_the_robot(single, batch)
    truth = batch.depth * scale
    K = stride_intrinsics(batch.K, MATCHING_STRIDE)
    with quick_autocast():
        target = model.multi.features(batch.target)
        source = model.multi.features(batch.source)
        matched = model.multi(target, source.matching[:, None], single, K, T[:, None])
    matched = type(matched)(*(x.float() for x in matched))
    multi = multi_frame_loss(matched.depth, matched.probabilities, matched.hypotheses, truth)

    matched = type(matched)(*(x.detach() for x in matched))
    small, other = thumbnail(batch.target), thumbnail(batch.source)
    single_small = downsample_nearest(single, *small.shape[-2:])
    seen = matching_evidence(matched, single_small, small, other, K, T)
    features = features.float()
    trust, change = trust_loss(model, seen, matched.depth_quarter, single_small, features,
                               batch.depth)
    alone, _ = trust_loss(model, no_evidence(single_small, small), single_small, single_small,
                          features, batch.depth)
    return Losses(multi, trust + 0.5 * alone, change)


def trust_loss(
    model: DepthModel, evidence: Evidence, depth: Tensor, single: Tensor, features: Tensor,
    truth: Tensor,
) -> tuple[Tensor, Tensor]:
    """
    Negative log likelihood of the blend's log error under a Laplace distribution, plus that error.

    :param model: its TrustNet learns.
    :param evidence: of the matching.
    :param depth: (B, 1, h, w) D_m [m].
    :param single: (B, 1, h, w) D_s [m].
    :param features: (B, C, h, w) what it was read from.
    :param truth: (B, 1, H, W) exact [m], Inf for the sky.
    :return: the loss, and the blend's error over S-DepthNet's, without gradient.
    """
    truth = truth[..., ::MATCHING_STRIDE, ::MATCHING_STRIDE]
    valid = truth < MAX_TRUTH
    trust = model.trust(evidence, depth, single, features)
    error, single_error = (_scaled_error(d, truth, valid) for d in (trust.depth, single))
    likelihood = error * (-trust.log_spread).exp() + trust.log_spread
    return (masked_mean(likelihood + error, valid),
            (masked_mean(error, valid) / masked_mean(single_error, valid)).detach())


def solve_as_the_robot(single: Tensor, batch: PairBatch) -> tuple[Tensor, Tensor]:
    """
    Resect the motion from points of the single-frame depth.

    :param single: (B, 1, H, W) D_s [m].
    :param batch: the pairs.
    :return: (B, 4, 4) T_source_target, and (B, 1, 1, 1) factor that brings the truth to its scale.
    """
    H, W = single.shape[-2:]
    inv_K = invert_intrinsics(batch.K)
    far = batch.depth.clamp(max=1000.0)
    seen, in_front = project(transform(batch.T_source_target, backproject(far, inv_K)), batch.K)
    usable = (inside(seen, H, W) & in_front).flatten(1)
    chosen = torch.multinomial(usable.float() + 1e-9, POINTS)  # (B, POINTS)
    pixels = torch.cat([pixel_grid(H, W, seen)[:2].expand_as(seen), seen], dim=1).flatten(2)
    lifted = lift(pixels.gather(2, chosen.unsqueeze(1).expand(-1, 4, -1)).transpose(1, 2),
                  single, batch.K)
    noise = TRACK_NOISE_PX * torch.randn(len(single), 2, POINTS).double().numpy()
    T = torch.from_numpy(solve_motion(
        lifted.points, lifted.pixels[:, 2:] + noise, usable.gather(1, chosen).cpu().numpy(),
        lifted.K)).to(single)
    length, true_length = (x[:, :3, 3].norm(dim=1) for x in (T, batch.T_source_target))
    scale = median_ratio(single, batch.depth)
    by_motion = length / true_length.clamp(min=1e-9)
    turned = batch.T_source_target.clone()
    turned[:, :3, 3] = 0
    still, _ = project(transform(turned, backproject(far, inv_K)), batch.K)
    parallax = torch.hypot(*(seen - still).unbind(1)).flatten(1).median(dim=1).values / W
    agree = ((by_motion / scale).log().abs() < math.log(SCALE_RANGE)) & (parallax > NO_PARALLAX)
    return T, torch.where(agree, by_motion, scale).view(-1, 1, 1, 1)


def _scaled_error(depth: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Log error after median scaling, 0 where there is no truth."""
    scale = median_ratio(depth.detach(), truth).view(-1, 1, 1, 1)
    return (depth / scale / torch.where(valid, truth, depth / scale)).log().abs()


def train(arguments: argparse.Namespace) -> None:
    """Train for the steps asked."""
    photographs = read_photographs(arguments)
    with processes(arguments.seed):
        model = quick_to_train(load_checkpoint(arguments.weights))
        model.requires_grad_(False)
        parts = nn.ModuleDict({'multi': model.multi, 'trust': model.trust})
        parts.train().requires_grad_(True)
        optimiser = torch.optim.AdamW([
            {'params': model.multi.parameters(), 'lr': arguments.rate},
            {'params': model.trust.parameters(), 'lr': 3 * arguments.rate}],
            weight_decay=WEIGHT_DECAY)

        def losses(batch: PairBatch, rng: np.random.Generator) -> dict[str, Tensor]:
            terms = step_losses(model, batch)
            return {'total': terms.multi + terms.trust} | vars(terms)

        train_stage(model, parts, optimiser,
                    [PairPool(size, CAPACITY, photographs) for size in SIZES],
                    [BATCH] * len(SIZES), losses, arguments)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--weights', type=Path, required=True, help='weights to go on from')
    add_arguments(parser, 'pretrain_matching', rate=7e-4)
    run(train, parser.parse_args())


if __name__ == '__main__':
    main()
