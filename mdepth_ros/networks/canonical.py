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

"""The size and the focal length that S-DepthNet works with, whatever the camera's are."""

import math

from mdepth_ros.config import ModelConfig
from mdepth_ros.geometry.depth import disparity_to_depth
from mdepth_ros.networks.shapes import STRIDE
import torch
from torch import Tensor


def size_seen(height: int, width: int, side: int) -> tuple[int, int]:
    """
    Say how large S-DepthNet sees an image.

    :param height: of the image [px].
    :param width: of the image [px].
    :param side: of what it sees the shorter side, about; 0 for any.
    :return: height and width; those of a larger image are multiples of 32 [px].
    """
    shorter = min(height, width)
    if not 0 < side < shorter:
        return height, width
    seen = [STRIDE * math.ceil(length * side / shorter / STRIDE) for length in (height, width)]
    return seen[0], seen[1]


def canonical_depth(disparity: Tensor, config: ModelConfig) -> Tensor:
    """
    Turn S-DepthNet's disparity into the depth that the canonical camera would see.

    :param disparity: any shape, in (0, 1).
    :param config: bounds the depth.
    :return: the same shape [network units].
    """
    return disparity_to_depth(disparity, config.min_depth, config.max_depth)


def depth_per_canonical(config: ModelConfig, K: Tensor, height: int, width: int) -> Tensor:
    """
    How many times the depth is for this camera what it is for the canonical one.

    A picture does not tell a far thing through a long lens from a near one through a short lens.
    The network answers for one focal length, and the camera's makes that the depth.

    Source: Yin et al. 2023 (Metric3D), the canonical camera; here the depth is transformed, not
    the image.

    :param config: names the focal length.
    :param K: (B, 3, 3) intrinsics [px].
    :param height: of the images that K is for [px].
    :param width: of the images that K is for [px].
    :return: (B, 1, 1, 1) factor; 1 where the configuration names none.
    """
    focal = (K[:, 0, 0] * K[:, 1, 1]).sqrt().view(-1, 1, 1, 1)
    if not config.canonical_focal:
        return torch.ones_like(focal)
    seen = size_seen(height, width, config.single_side)
    return focal * (math.sqrt(math.prod(seen) / (height * width)) / config.canonical_focal)


def to_depth(disparity: Tensor, config: ModelConfig, K: Tensor) -> Tensor:
    """
    Turn S-DepthNet's disparity into this camera's depth.

    :param disparity: (B, 1, H, W) in (0, 1).
    :param config: bounds the depth.
    :param K: (B, 3, 3) intrinsics at H x W [px].
    :return: (B, 1, H, W) [network units].
    """
    factor = depth_per_canonical(config, K, *disparity.shape[-2:])
    return canonical_depth(disparity, config) * factor
