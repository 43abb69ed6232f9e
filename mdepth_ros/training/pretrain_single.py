"""
Stage 0, S-DepthNet alone: one image and its exact depth at a time, in worlds of every kind.

``torchrun --nproc-per-node 2 -m mdepth_ros.training.pretrain_single --weights first.safetensors
--out single.safetensors``, see :mod:`mdepth_ros.training.stage0`.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mdepth_ros.geometry.depth import disparity_to_depth
from mdepth_ros.networks.checkpoint import load_checkpoint
from mdepth_ros.networks.single_frame import SingleFrameNet
from mdepth_ros.training.image_pool import ImageBatch, ImagePool
from mdepth_ros.training.pretrain import MAX_TRUTH
from mdepth_ros.training.stage0 import (
    add_arguments,
    keep_early_layers,
    processes,
    train_stage,
)

# Width, height and batch per process: cameras from 10:3 to 4:3, at training's and at running's
# size.
SIZES = ((416, 128, 8), (320, 160, 8), (288, 192, 8), (256, 192, 8), (640, 192, 4), (416, 288, 4))
CAPACITY = 200  # worlds of each size


def single_frame_loss(depth: Tensor, truth: Tensor) -> Tensor:
    """
    Log error after median scaling, the scale itself, gradients at four scales, and the sky.

    Source: Ranftl et al. 2020 for the robust scale-free error; Li and Snavely 2018 for the
    gradients.

    :param depth: (B, 1, H, W) predicted [m].
    :param truth: (B, 1, H, W) exact [m], Inf for the sky.
    :return: scalar.
    """
    valid = truth < MAX_TRUTH
    error = torch.where(valid, depth.log() - torch.where(valid, truth, 1.0).log(), torch.nan)
    scale = torch.nan_to_num(error.flatten(1).nanmedian(dim=1).values)  # (B,)
    error = torch.nan_to_num(error - scale.view(-1, 1, 1, 1))
    count = valid.sum(dim=(1, 2, 3)).clamp(min=1)
    loss = (error.abs().sum(dim=(1, 2, 3)) / count).mean() + 0.2 * scale.abs().mean()
    for step in (1, 2, 4, 8):
        e, v = error[..., ::step, ::step], valid[..., ::step, ::step]
        for dim in (2, 3):
            n = e.shape[dim] - 1
            both = v.narrow(dim, 1, n) & v.narrow(dim, 0, n)
            change = (e.narrow(dim, 1, n) - e.narrow(dim, 0, n)).abs()
            loss = loss + 0.25 * (change * both).sum() / both.sum().clamp(min=1)
    sky = torch.where(truth.isinf(), (math.log(MAX_TRUTH) - depth.log()).clamp(min=0), 0.0)
    return loss + 0.2 * sky.mean()


def keep_depthwise_exact(net: nn.Module) -> None:
    """Leave wide depthwise kernels in float32: 5 times faster to train than bfloat16 on CPUs."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1 and module.kernel_size[0] > 3:
            module.forward = _in_float32(module.forward)  # type: ignore[method-assign]


def _in_float32(forward):  # type: ignore[no-untyped-def]
    """Wrap a forward function."""
    def wrapped(x: Tensor) -> Tensor:
        with torch.autocast('cpu', enabled=False):
            return forward(x.float())
    return wrapped


def train(arguments: argparse.Namespace) -> None:
    """Train for the steps asked."""
    with processes():
        model = load_checkpoint(arguments.weights)
        config, net = model.config, model.single.train().to(memory_format=torch.channels_last)
        keep_early_layers(net.encoder)
        keep_depthwise_exact(net)

        def losses(batch: ImageBatch, rng: np.random.Generator) -> dict[str, Tensor]:
            with torch.autocast('cpu', torch.bfloat16):
                image = batch.image.contiguous(memory_format=torch.channels_last)
                disparity = net(image).disparity.float()
            depth = disparity_to_depth(disparity, config.min_depth, config.max_depth)
            return {'total': single_frame_loss(depth, batch.depth)}

        train_stage(model, net, _optimiser(net, arguments.rate),
                    [ImagePool((width, height), CAPACITY) for width, height, _ in SIZES],
                    [count for _, _, count in SIZES], losses, arguments, averaged=net)


def _optimiser(net: SingleFrameNet, rate: float) -> torch.optim.AdamW:
    """The encoder comes from ImageNet and learns more slowly."""
    encoder = [p for p in net.encoder.parameters() if p.requires_grad]
    return torch.optim.AdamW([{'params': encoder, 'lr': 0.4 * rate},
                              {'params': list(net.decoder.parameters()), 'lr': rate}],
                             weight_decay=1e-4)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--weights', type=Path, required=True, help='weights to go on from')
    add_arguments(parser, steps=2700, rate=8e-4)
    train(parser.parse_args())


if __name__ == '__main__':
    main()
