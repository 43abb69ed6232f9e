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

"""The multi-scale fusion decoder of the paper's S-DepthNet."""

from collections.abc import Sequence
from dataclasses import dataclass

from mdepth_ros.networks.blocks import ConvElu, ReflectionConv
import torch
from torch import nn, Tensor
import torch.nn.functional as F


@dataclass(frozen=True)
class Link:
    """The map ``source`` flows into the finer map ``target``, through a layer."""

    source: int
    target: int
    layer: int


@dataclass(frozen=True)
class Level:
    """The layer of each map that is worked on, by its index, then the links between them."""

    layers: dict[int, int]
    links: tuple[Link, ...]


class FusionDecoder(nn.Module):
    """
    Let coarse maps flow into finer ones, four times, then read the disparity.

    Source: paper, S-DepthNet. The layers sit in one list because the public weights number them.

    :param channels: of the encoder's five maps at strides 2, 4, 8, 16, 32.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.quarter_channels = channels[1]
        layers: list[nn.Module] = []
        self.levels: list[Level] = []
        # A level works on maps first..last: 1..4 (strides 4 to 32), 1..3, 1..2, then 0..1.
        for first, last in ((1, 4), (1, 3), (1, 2), (0, 1)):
            own, links = {}, []
            for i in range(first, last + 1):
                own[i] = len(layers)
                layers.append(ConvElu(channels[i], channels[i]))
            for source in range(first + 1, last + 1):
                for target in range(source - 1, first - 1, -1):
                    links.append(Link(source, target, len(layers)))
                    layers.append(ConvElu(channels[source], channels[target], kernel=1))
            self.levels.append(Level(own, tuple(links)))
        self.head = len(layers)
        layers += [ConvElu(channels[0], 32), ConvElu(32, 16), ReflectionConv(16, 1)]
        self.decoder = nn.ModuleList(layers)

    def forward(self, features: list[Tensor]) -> tuple[Tensor, Tensor]:
        """
        Decode.

        :param features: five maps at strides 2, 4, 8, 16, 32.
        :return: (B, 1, H, W) disparity in (0, 1), and the map at stride 4 before it.
        """
        maps = dict(enumerate(features))
        for level in self.levels:
            own = {i: self.decoder[layer](maps[i]) for i, layer in level.layers.items()}
            fused = dict(own)
            for link in level.links:
                enlarged = _enlarge(own[link.source], 2 ** (link.source - link.target))
                fused[link.target] = fused[link.target] + self.decoder[link.layer](enlarged)
            maps.update(fused)
        x = _enlarge(self.decoder[self.head](maps[0]), 2)
        x = self.decoder[self.head + 1](x)
        return torch.sigmoid(self.decoder[self.head + 2](x).float()), maps[1]

    def scales(self, features: list[Tensor]) -> list[Tensor]:
        """Return the disparities of all scales, finest first: here only one."""
        return [self.forward(features)[0]]


def _enlarge(x: Tensor, factor: int) -> Tensor:
    """Repeat pixels: what the public weights were trained with."""
    return F.interpolate(x, scale_factor=float(factor), mode='nearest')
