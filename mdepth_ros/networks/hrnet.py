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

"""HRNet-W18 as an encoder: four resolutions side by side; keys as in the public weights."""

from mdepth_ros.networks.resnet import BasicBlock
from mdepth_ros.networks.shapes import require_image
from torch import nn, Tensor
import torch.nn.functional as F

WIDTHS = (18, 36, 72, 144)
BLOCKS_PER_BRANCH = 4


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 around a skip; the output has four times the inner channels."""

    def __init__(self, in_channels: int, inner: int) -> None:
        super().__init__()
        out_channels = 4 * inner
        self.conv1 = nn.Conv2d(in_channels, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample: nn.Module | None = None
        if in_channels != out_channels:
            self.downsample = nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, bias=False),
                                            nn.BatchNorm2d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, h, w) to (B, 4 inner, h, w)."""
        skip = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return F.relu(self.bn3(self.conv3(x)) + skip)


class Exchange(nn.Module):
    """Residual blocks at every resolution, then every resolution receives all the others."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(*(BasicBlock(width, width) for _ in range(BLOCKS_PER_BRANCH)))
            for width in WIDTHS[:count]
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(_fuse_layer(source, target) for source in range(count))
            for target in range(count)
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Map ``count`` maps, fine to coarse, to maps of the same shapes."""
        maps = [branch(x) for branch, x in zip(self.branches, maps)]
        fused = []
        for layers in self.fuse_layers:
            first, *others = (layer(x) for layer, x in zip(layers, maps))
            for x in others:
                first = first + x
            fused.append(F.relu(first))
        return fused


class HRNetEncoder(nn.Module):
    """
    HRNet-W18; it takes the raw image, its first batch norm absorbs the scale.

    :param in_channels: 3, or 6 for a pair.
    """

    channels = (64, *WIDTHS)

    def __init__(self, in_channels: int = 3) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.conv1 = nn.Conv2d(in_channels, 64, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.conv2 = nn.Conv2d(64, 64, 3, 2, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(Bottleneck(64, 64), *(Bottleneck(256, 64) for _ in range(3)))
        # Each transition adds one coarser map; the others pass unchanged, but for the first time.
        self.transition1 = nn.ModuleList([
            nn.Sequential(*_conv_bn(256, WIDTHS[0], 1), nn.ReLU()),
            nn.Sequential(_down(256, WIDTHS[1])),
        ])
        self.stage2 = nn.ModuleList(Exchange(2) for _ in range(1))
        self.transition2 = nn.ModuleList(
            [nn.Identity(), nn.Identity(), nn.Sequential(_down(WIDTHS[1], WIDTHS[2]))])
        self.stage3 = nn.ModuleList(Exchange(3) for _ in range(4))
        self.transition3 = nn.ModuleList(
            [nn.Identity(), nn.Identity(), nn.Identity(),
             nn.Sequential(_down(WIDTHS[2], WIDTHS[3]))])
        self.stage4 = nn.ModuleList(Exchange(4) for _ in range(3))

    def forward(self, image: Tensor) -> list[Tensor]:
        """
        Encode.

        :param image: (B, in_channels, H, W) in [0, 1], H and W multiples of 32.
        :return: five maps at strides 2, 4, 8, 16, 32 with ``channels`` channels.
        :raises ValueError: if the shape differs from the one above.
        """
        require_image('image', image, self.in_channels)
        stem = F.relu(self.bn1(self.conv1(image)))
        x = self.layer1(F.relu(self.bn2(self.conv2(stem))))
        maps = [layer(x) for layer in self.transition1]
        for exchange in self.stage2:
            maps = exchange(maps)
        maps = [*maps, self.transition2[2](maps[-1])]
        for exchange in self.stage3:
            maps = exchange(maps)
        maps = [*maps, self.transition3[3](maps[-1])]
        for exchange in self.stage4:
            maps = exchange(maps)
        return [stem, *maps]


def _conv_bn(in_channels: int, out_channels: int, stride: int) -> list[nn.Module]:
    """3x3 convolution without bias, batch norm."""
    return [nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(out_channels)]


def _down(in_channels: int, out_channels: int) -> nn.Sequential:
    """Halve the resolution, with ReLU."""
    return nn.Sequential(*_conv_bn(in_channels, out_channels, 2), nn.ReLU())


def _fuse_layer(source: int, target: int) -> nn.Module:
    """Bring map ``source`` to the shape of map ``target`` (0 is the finest)."""
    if source == target:
        return nn.Identity()
    if source > target:
        return nn.Sequential(
            nn.Conv2d(WIDTHS[source], WIDTHS[target], 1, bias=False),
            nn.BatchNorm2d(WIDTHS[target]),
            nn.Upsample(scale_factor=float(2 ** (source - target)), mode='bilinear',
                        align_corners=True),
        )
    halvings = [_down(WIDTHS[source], WIDTHS[source]) for _ in range(target - source - 1)]
    last = nn.Sequential(*_conv_bn(WIDTHS[source], WIDTHS[target], 2))
    return nn.Sequential(*halvings, last)
