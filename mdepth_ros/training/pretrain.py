"""
Stage 0: all three networks on synthetic scenes with exact depth and motion.

``torchrun --nproc-per-node 2 -m mdepth_ros.training.pretrain --out first.safetensors``, see
:mod:`mdepth_ros.training.stage0`. It gives PoseNet its weights, and the other two a better start
than ImageNet alone.
"""

import argparse
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mdepth_ros.config import lite_config
from mdepth_ros.geometry.depth import disparity_to_depth
from mdepth_ros.geometry.intrinsics import invert_intrinsics, stride_intrinsics
from mdepth_ros.geometry.pose import invert_motion
from mdepth_ros.geometry.projection import reproject
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.networks.features import MATCHING_STRIDE
from mdepth_ros.networks.public_weights import load_imagenet_efficientnet_lite0
from mdepth_ros.training.pair_pool import SIZES, PairBatch, PairPool
from mdepth_ros.training.stage0 import (
    add_arguments,
    keep_early_layers,
    processes,
    train_stage,
)

MAX_TRUTH = 80.0  # [m], farther is sky
BATCH, CAPACITY = 6, 500  # of each process; worlds of each size


@dataclass(frozen=True)
class Losses:
    """One step's terms; ``total`` is what is minimised."""

    single: Tensor
    motion: Tensor
    multi: Tensor

    @property
    def total(self) -> Tensor:
        """Sum with the weights that balance the gradients at the start."""
        return self.single + self.motion + self.multi


def single_frame_loss(depth: Tensor, truth: Tensor) -> Tensor:
    """
    Scale-invariant log error, its gradients at four scales, and the sky beyond range.

    Source: Eigen et al. 2014 (eq. 4, lambda 0.85); Li and Snavely 2018 for the gradients.

    :param depth: (B, 1, H, W) predicted [m].
    :param truth: (B, 1, H, W) exact [m], Inf for the sky.
    :return: scalar.
    """
    valid = truth < MAX_TRUTH
    error = torch.where(valid, depth.log() - torch.where(valid, truth, 1.0).log(), 0.0)
    count = valid.sum(dim=(1, 2, 3)).clamp(min=1)
    mean = error.sum(dim=(1, 2, 3)) / count
    variance = (error ** 2).sum(dim=(1, 2, 3)) / count - 0.85 * mean ** 2
    loss = (variance.clamp(min=0) + 1e-6).sqrt().mean()
    sky = torch.where(truth.isinf(), (math.log(MAX_TRUTH) - depth.log()).clamp(min=0), 0.0).mean()
    for scale in range(4):
        e, v = error[..., ::2 ** scale, ::2 ** scale], valid[..., ::2 ** scale, ::2 ** scale]
        for dim in (2, 3):
            n = e.shape[dim] - 1
            both = v.narrow(dim, 0, n) & v.narrow(dim, 1, n)
            steps = (e.narrow(dim, 1, n) - e.narrow(dim, 0, n)).abs()
            loss = loss + 0.25 * (steps * both).sum() / both.sum().clamp(min=1)
    return loss + 0.2 * sky


def motion_loss(T_predicted: Tensor, T_true: Tensor, depth: Tensor, K: Tensor) -> Tensor:
    """
    How far the predicted motion moves pixels from where the true one does.

    :param T_predicted: (B, 4, 4) T_source_target.
    :param T_true: (B, 4, 4) at the scale of ``depth``.
    :param depth: (B, 1, H, W), Inf for the sky.
    :param K: (B, 3, 3) [px].
    :return: scalar, in hundredths of the image's width.
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
    return (100 / width * distance).clamp(max=50.0)[near].mean()


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
    valid = truth < MAX_TRUTH * 3
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


def step_losses(model: DepthModel, batch: PairBatch, rng: np.random.Generator) -> Losses:
    """
    Run the three networks on a batch.

    delta stays at its start, a search from half to twice the single-frame depth. The paper's rule
    would shrink it to where M-DepthNet already looks, long before S-DepthNet is that good.

    The truth is brought to the scale of S-DepthNet, image by image, so that depth and motion agree
    whatever scale it prefers: a single image of an unknown camera does not tell it.
    """
    config = model.config
    with torch.autocast('cpu', torch.bfloat16):
        disparity = model.single(batch.target).disparity.float()
        T_target_source = model.pose.motion(batch.source, batch.target)
        target = model.multi.features(batch.target)
        source = model.multi.features(batch.source)
    single = disparity_to_depth(disparity, config.min_depth, config.max_depth)
    scale = _scale(single.detach(), batch.depth)
    truth = batch.depth * scale
    T_true = batch.T_source_target.clone()
    T_true[:, :3, 3] *= scale[:, :, 0, 0]
    T_predicted = invert_motion(T_target_source.float())

    exact = torch.from_numpy(rng.random((len(scale), 1, 1)) < 0.5)
    T_used = torch.where(exact, T_true, T_predicted.detach())
    with torch.autocast('cpu', torch.bfloat16):
        matched = model.multi(target, source.matching[:, None], single,
                              stride_intrinsics(batch.K, MATCHING_STRIDE), T_used[:, None])
    return Losses(
        single_frame_loss(single, batch.depth) + 0.1 * scale.log().abs().mean()
        + 0.1 * _metric_error(single, batch.depth),
        motion_loss(T_predicted, T_true, truth, batch.K),
        multi_frame_loss(matched.depth.float(), matched.probabilities.float(),
                         matched.hypotheses, truth))


def _scale(single: Tensor, truth: Tensor) -> Tensor:
    """Median ratio of each image, (B, 1, 1, 1)."""
    ratio = torch.where(truth < MAX_TRUTH, single / truth, torch.nan)
    scale = ratio.flatten(1).nanmedian(dim=1).values
    return torch.nan_to_num(scale, nan=1.0).clamp(0.05, 20.0).view(-1, 1, 1, 1)


def _metric_error(single: Tensor, truth: Tensor) -> Tensor:
    """Mean of the log ratio's size per image, so that depths come out about in metres."""
    ratio = torch.where(truth < MAX_TRUTH, single / truth, torch.nan).log()
    return torch.nan_to_num(ratio.flatten(1).nanmean(dim=1)).abs().mean()


def train(arguments: argparse.Namespace) -> None:
    """Train for the steps asked, from ImageNet."""
    with processes():
        model = DepthModel(lite_config())
        load_imagenet_efficientnet_lite0(model.single.encoder)
        load_imagenet_efficientnet_lite0(model.pose.encoder)
        model.train()
        keep_early_layers(model.single.encoder)
        encoders = {id(p) for net in (model.single, model.pose) for p in net.encoder.parameters()}
        learning = [p for p in model.parameters() if p.requires_grad]
        optimiser = torch.optim.AdamW([
            {'params': [p for p in learning if id(p) in encoders], 'lr': 0.4 * arguments.rate},
            {'params': [p for p in learning if id(p) not in encoders], 'lr': arguments.rate},
        ], weight_decay=1e-4)

        def losses(batch: PairBatch, rng: np.random.Generator) -> dict[str, Tensor]:
            terms = step_losses(model, batch, rng)
            return {'total': terms.total, 'single': terms.single, 'motion': terms.motion,
                    'multi': terms.multi}

        train_stage(model, model, optimiser, [PairPool(size, CAPACITY) for size in SIZES],
                    [BATCH] * len(SIZES), losses, arguments, averaged=model)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser, steps=1050, rate=8e-4)
    train(parser.parse_args())


if __name__ == '__main__':
    main()
