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

"""From a noisy score volume to one logit per hypothesis."""

from mdepth_ros.config import REDUCTION
from mdepth_ros.geometry.shapes import require_shape
from mdepth_ros.networks.blocks import ConvBnRelu, upsample_bilinear
from torch import nn, Tensor
import torch.nn.functional as F


class UNet3d(nn.Module):
    """
    The paper's regulariser: a 3-D U-Net with additive skips.

    :param groups: G of the volume.
    """

    def __init__(self, groups: int = 16) -> None:
        super().__init__()
        base = 16  # channels at full resolution, doubled at each of three levels
        self.groups = groups
        self.conv0 = Conv3dBnRelu(groups, base)
        self.conv1 = Conv3dBnRelu(base, 2 * base, stride=2)
        self.conv2 = Conv3dBnRelu(2 * base, 2 * base)
        self.conv3 = Conv3dBnRelu(2 * base, 4 * base, stride=2)
        self.conv4 = Conv3dBnRelu(4 * base, 4 * base)
        self.conv5 = Conv3dBnRelu(4 * base, 8 * base, stride=2)
        self.conv6 = Conv3dBnRelu(8 * base, 8 * base)
        self.conv7 = _enlarge(8 * base, 4 * base)
        self.conv9 = _enlarge(4 * base, 2 * base)
        self.conv11 = _enlarge(2 * base, base)
        self.prob = nn.Conv3d(base, 1, 3, padding=1, bias=False)

    def forward(self, volume: Tensor) -> Tensor:
        """
        Regularise.

        :param volume: (B, G, D, h, w) scores; D, h and w multiples of 8.
        :return: (B, D, h, w) logits.
        :raises ValueError: if the shape differs from the one above.
        """
        require_shape('volume', volume, ('B', self.groups, 'D', 'h', 'w'))
        if any(side % REDUCTION for side in volume.shape[2:]):
            raise ValueError(f'volume must be (B, G, D, h, w) with D, h and w multiples of '
                             f'{REDUCTION}, got {tuple(volume.shape)}')
        full = self.conv0(volume)  # (B, base, D, h, w)
        half = self.conv2(self.conv1(full))
        quarter = self.conv4(self.conv3(half))
        x = self.conv6(self.conv5(quarter))
        x = quarter + self.conv7(x)
        x = half + self.conv9(x)
        x = full + self.conv11(x)
        return self.prob(x).squeeze(1)


class UNet2d(nn.Module):
    """
    Our cheap regulariser: the D x G scores of a pixel are the channels of a 2-D U-Net.

    Every hypothesis is first summarised by the same small layers. One of the summaries goes to the
    output directly, so that the network starts from "the best match wins" and learns corrections.

    :param groups: G of the volume.
    :param hypotheses: D of the volume.
    """

    summaries = 4

    def __init__(self, groups: int = 16, hypotheses: int = 16) -> None:
        super().__init__()
        self.groups, self.hypotheses = groups, hypotheses
        self.mix = nn.Conv2d(groups, groups, 1)
        self.summarise = nn.Conv2d(groups, self.summaries, 1)
        self.match = nn.Conv2d(groups, 1, 1, bias=False)
        # Start from the sum over the groups: the plain correlation.
        nn.init.ones_(self.match.weight)
        fine, middle, coarse = 48, 80, 112  # channels at 1/4, 1/8 and 1/16 of the image's size
        self.enter = ConvBnRelu(hypotheses * self.summaries, fine)
        self.down1 = nn.Sequential(ConvBnRelu(fine, middle, stride=2), ConvBnRelu(middle, middle))
        self.down2 = nn.Sequential(ConvBnRelu(middle, coarse, stride=2),
                                   ConvBnRelu(coarse, coarse))
        self.narrow2 = nn.Conv2d(coarse, middle, 1, bias=False)
        self.up1 = ConvBnRelu(middle, middle)
        self.narrow1 = nn.Conv2d(middle, fine, 1, bias=False)
        self.up0 = ConvBnRelu(fine, fine)
        self.correction = nn.Conv2d(fine, hypotheses, 1)

    def forward(self, volume: Tensor) -> Tensor:
        """
        Regularise.

        :param volume: (B, G, D, h, w) scores; h and w multiples of 8.
        :return: (B, D, h, w) logits.
        :raises ValueError: if the shape differs from the one above.
        """
        require_shape('volume', volume, ('B', self.groups, self.hypotheses, 'h', 'w'))
        B, G, D, h, w = volume.shape
        if h % REDUCTION or w % REDUCTION:
            raise ValueError(f'volume must be (B, G, D, h, w) with h and w multiples of '
                             f'{REDUCTION}, got {tuple(volume.shape)}')
        tall = volume.reshape(B, G, D * h, w)  # the hypotheses below each other
        match = self.match(tall).view(B, D, h, w)
        summary = self.summarise(F.relu(self.mix(tall))).view(B, self.summaries, D, h, w)
        full = self.enter(summary.transpose(1, 2).reshape(B, D * self.summaries, h, w))
        half = self.down1(full)
        x = self.narrow2(self.down2(half))
        x = self.up1(half + upsample_bilinear(x))
        x = self.up0(full + upsample_bilinear(self.narrow1(x)))
        return match + self.correction(x)


class Conv3dBnRelu(nn.Module):
    """A bias-free 3x3x3 convolution with zero padding, batch norm, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv3d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn = nn.BatchNorm3d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, D, h, w) to (B, C_out, D / stride, h / stride, w / stride)."""
        return F.relu(self.bn(self.conv(x)))


def _enlarge(in_channels: int, out_channels: int) -> nn.Sequential:
    """Double D, h and w with a transposed convolution."""
    return nn.Sequential(
        nn.ConvTranspose3d(in_channels, out_channels, 3, 2, 1, output_padding=1, bias=False),
        nn.BatchNorm3d(out_channels),
        nn.ReLU(),
    )
