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
Stage 0, S-DepthNet alone: one image and its exact depth at a time, in worlds of every kind.

``torchrun --nproc-per-node 2 -m mdepth_ros.training.stage0.pretrain_single
--weights first.safetensors --out single.safetensors --steps 4000``, see
:mod:`mdepth_ros.training.stage0.pool_training`.
"""

import argparse
from pathlib import Path

from mdepth_ros.networks.canonical import to_depth
from mdepth_ros.networks.checkpoint import load_checkpoint
from mdepth_ros.training.stage0.from_imagenet import (
    keep_early_layers,
    optimiser_from_imagenet,
    quick_autocast,
    quick_to_train,
)
from mdepth_ros.training.stage0.image_pool import ImageBatch, ImagePool
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
)
import numpy as np
import torch
from torch import Tensor

# Width, height and batch per process: cameras from 10:3 to 4:3, at training's and at running's
# size.
SIZES = ((416, 128, 8), (320, 160, 8), (288, 192, 8), (256, 192, 8), (640, 192, 4), (416, 288, 4))
CAPACITY = 200  # worlds of each size


def median_scaled_loss(depth: Tensor, truth: Tensor) -> Tensor:
    """
    Log error after median scaling, the scale itself, the edges, and the sky.

    Source: Ranftl et al. 2020 for the robust scale-free error.

    :param depth: (B, 1, H, W) predicted [m].
    :param truth: (B, 1, H, W) exact [m], Inf for the sky.
    :return: scalar.
    """
    error, valid = log_error(depth, truth)
    scale = median_ratio(depth, truth).log()  # (B,)
    scaled = torch.where(valid, error - scale.view(-1, 1, 1, 1), 0.0)
    return (mean_of_each(scaled.abs(), valid).mean() + 0.2 * scale.abs().mean()
            + edge_and_sky_loss(depth, truth))


def train(arguments: argparse.Namespace) -> None:
    """Train for the steps asked."""
    photographs = read_photographs(arguments)
    with processes(arguments.seed):
        model = load_checkpoint(arguments.weights)
        net = quick_to_train(model.single.train())
        keep_early_layers(net.encoder)

        def losses(batch: ImageBatch, rng: np.random.Generator) -> dict[str, Tensor]:
            with quick_autocast():
                disparity = net(batch.image).disparity.float()
            depth = to_depth(disparity, model.config, batch.K)
            return {'total': median_scaled_loss(depth, batch.depth)}

        train_stage(model, net, optimiser_from_imagenet(net, arguments.rate),
                    [ImagePool((width, height), CAPACITY, photographs)
                     for width, height, _ in SIZES],
                    [count for _, _, count in SIZES], losses, arguments)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--weights', type=Path, required=True, help='weights to go on from')
    add_arguments(parser, 'pretrain_single', rate=8e-4)
    run(train, parser.parse_args())


if __name__ == '__main__':
    main()
