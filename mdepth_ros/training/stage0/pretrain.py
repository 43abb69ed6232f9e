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
Stage 0: all three networks on synthetic scenes with exact depth and motion.

``torchrun --nproc-per-node 2 -m mdepth_ros.training.stage0.pretrain --out first.safetensors
--steps 500``, see :mod:`mdepth_ros.training.stage0.pool_training`. It gives PoseNet its weights,
and the others a better start than they would have.
"""

import argparse
from dataclasses import dataclass

from mdepth_ros.config import lite_config
from mdepth_ros.geometry.intrinsics import invert_intrinsics, stride_intrinsics
from mdepth_ros.geometry.pose import invert_motion
from mdepth_ros.geometry.projection import reproject
from mdepth_ros.networks.canonical import to_depth
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.networks.features import MATCHING_STRIDE
from mdepth_ros.networks.public_weights import load_imagenet_efficientnet_lite0
from mdepth_ros.training.losses import masked_mean
from mdepth_ros.training.stage0.from_imagenet import (
    keep_early_layers,
    optimiser_from_imagenet,
    quick_autocast,
    quick_to_train,
)
from mdepth_ros.training.stage0.pair_pool import PairBatch, PairPool, SIZES
from mdepth_ros.training.stage0.pool_training import (
    add_arguments,
    processes,
    read_photographs,
    run,
    train_stage,
)
from mdepth_ros.training.stage0.truth_losses import (
    edge_and_sky_loss,
    log_error,
    mean_of_each,
    median_ratio,
    multi_frame_loss,
)
import numpy as np
import torch
from torch import Tensor

BATCH, CAPACITY = 6, 500  # of each process; worlds of each size
SCALES = (0.05, 20.0)  # of an untrained depth to the truth, at the most


@dataclass(frozen=True)
class Losses:
    """Scalar terms of S-DepthNet, PoseNet and M-DepthNet."""

    single: Tensor
    motion: Tensor
    multi: Tensor

    @property
    def total(self) -> Tensor:
        """Return what is minimised."""
        return self.single + self.motion + self.multi


def scale_invariant_loss(depth: Tensor, truth: Tensor) -> Tensor:
    """
    Scale-invariant log error, its edges, and the sky.

    Source: Eigen et al. 2014 (eq. 4, lambda 0.85).

    :param depth: (B, 1, H, W) predicted [m].
    :param truth: (B, 1, H, W) exact [m], Inf for the sky.
    :return: scalar.
    """
    error, valid = log_error(depth, truth)
    variance = mean_of_each(error ** 2, valid) - 0.85 * mean_of_each(error, valid) ** 2
    return (variance.clamp(min=0) + 1e-6).sqrt().mean() + edge_and_sky_loss(depth, truth)


def motion_loss(T_predicted: Tensor, T_true: Tensor, depth: Tensor, K: Tensor) -> Tensor:
    """
    How far the predicted motion moves pixels from where the true one does.

    :param T_predicted: (B, 4, 4) T_source_target.
    :param T_true: (B, 4, 4) at the scale of ``depth``.
    :param depth: (B, 1, H, W), Inf for the sky.
    :param K: (B, 3, 3) [px].
    :return: scalar, in hundredths of the image's width; 0 if no pixel stays near the image.
    """
    coarse = depth[..., ::MATCHING_STRIDE, ::MATCHING_STRIDE].clamp(max=200.0)
    width = coarse.shape[-1]
    K_coarse = stride_intrinsics(K, MATCHING_STRIDE)
    inv_K = invert_intrinsics(K_coarse)
    wanted, in_front = reproject(coarse, K_coarse, inv_K, T_true)
    pixels, also = reproject(coarse, K_coarse, inv_K, T_predicted)
    near = (wanted.abs() < 2 * width).all(dim=1, keepdim=True) & in_front & also
    distance = ((pixels - wanted) ** 2).sum(dim=1, keepdim=True).add(1e-4).sqrt()
    # Far-off pixels say little more than that the motion is wrong.
    return masked_mean((100 / width * distance).clamp(max=50.0), near)


def step_losses(model: DepthModel, batch: PairBatch, rng: np.random.Generator) -> Losses:
    """
    Run the three networks on a batch.

    delta stays at its start, a search from half to twice the single-frame depth. The paper's rule
    would shrink it to where M-DepthNet already looks, long before S-DepthNet is that good.

    The truth is brought to the scale of S-DepthNet, image by image, so that depth and motion agree
    whatever scale it prefers: a single image tells it only roughly.
    """
    with quick_autocast():
        disparity = model.single(batch.target).disparity.float()
        T_target_source = model.pose.motion(batch.source, batch.target)
        target = model.multi.features(batch.target)
        source = model.multi.features(batch.source)
    single = to_depth(disparity, model.config, batch.K)
    scale = median_ratio(single.detach(), batch.depth).clamp(*SCALES).view(-1, 1, 1, 1)
    truth = batch.depth * scale
    T_true = batch.T_source_target.clone()
    T_true[:, :3, 3] *= scale[:, :, 0, 0]
    T_predicted = invert_motion(T_target_source.float())

    exact = torch.from_numpy(rng.random((len(scale), 1, 1)) < 0.5)
    T_used = torch.where(exact, T_true, T_predicted.detach())
    with quick_autocast():
        matched = model.multi(target, source.matching[:, None], single,
                              stride_intrinsics(batch.K, MATCHING_STRIDE), T_used[:, None])
    return Losses(
        scale_invariant_loss(single, batch.depth) + 0.1 * _metric_error(single, batch.depth),
        motion_loss(T_predicted, T_true, truth, batch.K),
        multi_frame_loss(matched.depth.float(), matched.probabilities.float(),
                         matched.hypotheses, truth))


def _metric_error(single: Tensor, truth: Tensor) -> Tensor:
    """Mean of the log ratio's size per image, so that depths come out about in metres."""
    return mean_of_each(*log_error(single, truth)).abs().mean()


def train(arguments: argparse.Namespace) -> None:
    """Train for the steps asked, from ImageNet."""
    photographs = read_photographs(arguments)
    with processes(arguments.seed):
        model = DepthModel(lite_config())
        load_imagenet_efficientnet_lite0(model.single.encoder)
        load_imagenet_efficientnet_lite0(model.pose.encoder)
        quick_to_train(model.train())
        keep_early_layers(model.single.encoder)
        optimiser = optimiser_from_imagenet(model, arguments.rate)

        def losses(batch: PairBatch, rng: np.random.Generator) -> dict[str, Tensor]:
            terms = step_losses(model, batch, rng)
            return {'total': terms.total} | vars(terms)

        train_stage(model, model, optimiser,
                    [PairPool(size, CAPACITY, photographs) for size in SIZES],
                    [BATCH] * len(SIZES), losses, arguments)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser, 'pretrain', rate=8e-4)
    run(train, parser.parse_args())


if __name__ == '__main__':
    main()
