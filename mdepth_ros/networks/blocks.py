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

"""Convolution blocks that several networks share; attribute names are the public weights' keys."""

import torch
from torch import nn, Tensor
import torch.nn.functional as F


class ReflectionConv(nn.Module):
    """A 3x3 convolution over a reflected border, or a 1x1 one."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, h, w) to (B, C_out, h, w)."""
        border = self.conv.kernel_size[0] // 2
        if border:
            x = F.pad(x, (border, border, border, border), mode='reflect')
        return self.conv(x)


class ConvElu(nn.Module):
    """:class:`ReflectionConv`, then ELU."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = ReflectionConv(in_channels, out_channels, kernel)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, h, w) to (B, C_out, h, w)."""
        return F.elu(self.conv(x))


class ConvBnRelu(nn.Module):
    """A bias-free 2-D convolution with zero padding, batch norm, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3,
                 stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, h, w) to (B, C_out, h / stride, w / stride)."""
        return F.relu(self.bn(self.conv(x)))


class EnlargeBilinear(nn.Module):
    """
    Enlarge a map of one channel; exactly ``F.interpolate``, but much faster.

    Each of the fine pixels of a coarse one is a fixed mixture of the coarse neighbours: together
    they are a convolution with ``factor ** 2`` channels.

    :param factor: a whole number.
    :param strided: the map was made of every ``factor``-th pixel, and has them there again;
        otherwise pixel areas are aligned.
    """

    mixtures: Tensor

    def __init__(self, factor: int, strided: bool = False) -> None:
        super().__init__()
        self.factor = factor
        first = 0.0 if strided else 0.5 / factor - 0.5
        places = [first + i / factor for i in range(factor)]
        along = [(max(-place, 0.0), 1 - abs(place), max(place, 0.0)) for place in places]
        self.register_buffer('mixtures', torch.tensor(
            [[[[b * a for a in across] for b in down]] for down in along for across in along]),
            persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, 1, h, w) to (B, 1, factor h, factor w)."""
        padded = F.pad(x, (1, 1, 1, 1), mode='replicate')
        return F.pixel_shuffle(F.conv2d(padded, self.mixtures.to(x.dtype)), self.factor)


def upsample_bilinear(x: Tensor) -> Tensor:
    """Double (B, C, h, w), pixel areas aligned."""
    return F.interpolate(x, scale_factor=2.0, mode='bilinear', align_corners=False)


def resize_map(x: Tensor, height: int, width: int) -> Tensor:
    """
    Resize (B, C, h, w), pixel areas aligned; ``F.interpolate`` but for rounding.

    OpenVINO reads a map of one channel at known places nine times faster than it resizes it.
    """
    down, across = ((2 * torch.arange(n, device=x.device) + 1.0) / n - 1 for n in (height, width))
    grid = torch.stack(torch.meshgrid(across, down, indexing='xy'), dim=-1)
    return F.grid_sample(x, grid.expand(len(x), -1, -1, -1), padding_mode='border',
                         align_corners=False)
