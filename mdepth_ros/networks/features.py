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

"""M-DepthNet's features: a small feature pyramid, read at 1/4 of the image's size."""

from typing import NamedTuple

from mdepth_ros.networks.blocks import ConvBnRelu
from mdepth_ros.networks.shapes import require_image
from torch import nn, Tensor
import torch.nn.functional as F

# Matching runs on every fourth pixel of every fourth row: the convolutions' centres, not the
# middles of 4 x 4 blocks, which is why K follows with stride_intrinsics.
MATCHING_STRIDE = 4


class ImageFeatures(NamedTuple):
    """
    What M-DepthNet keeps of an image; a tuple, so that exporters can take it apart.

    ``matching`` (B, C, h, w) is compared between frames, ``context`` (B, 32, h, w) guides the
    upsampling.
    """

    matching: Tensor
    context: Tensor


class FeatureNet(nn.Module):
    """
    Four levels; the 1/8 level is added to the 1/4 level before matching.

    :param matching_channels: channels to compare.
    """

    def __init__(self, matching_channels: int = 32) -> None:
        super().__init__()
        base = 8  # channels at full resolution, doubled at each level
        self.conv0 = nn.Sequential(ConvBnRelu(3, base), ConvBnRelu(base, base))
        self.conv1 = _stage(base, 2 * base)
        self.conv2 = _stage(2 * base, 4 * base)
        self.conv3 = _stage(4 * base, 8 * base)
        self.inner1 = nn.Conv2d(4 * base, 8 * base, 1)
        self.out = nn.Conv2d(8 * base, matching_channels, 3, padding=1, bias=False)
        self.context_channels = 4 * base

    def forward(self, image: Tensor) -> ImageFeatures:
        """
        Describe an image.

        :param image: (B, 3, H, W) in [0, 1], H and W multiples of 32.
        :return: matching and context features at 1/4 resolution.
        :raises ValueError: if the shape differs from the one above.
        """
        require_image('image', image, 3)
        quarter = self.conv2(self.conv1(self.conv0(image)))
        eighth = self.conv3(quarter)
        coarse = F.interpolate(eighth, scale_factor=2.0, mode='bilinear', align_corners=True)
        return ImageFeatures(self.out(coarse + self.inner1(quarter)), quarter)


def _stage(in_channels: int, out_channels: int) -> nn.Sequential:
    """Halve the resolution, then two more convolutions."""
    return nn.Sequential(ConvBnRelu(in_channels, out_channels, kernel=5, stride=2),
                         ConvBnRelu(out_channels, out_channels),
                         ConvBnRelu(out_channels, out_channels))
