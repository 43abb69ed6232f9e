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

"""The U-Net decoder that goes with ResNet-18: disparity at four scales."""

from collections.abc import Sequence

from mdepth_ros.networks.blocks import ConvElu, ReflectionConv
import torch
from torch import nn, Tensor
import torch.nn.functional as F

WIDTHS = (16, 32, 64, 128, 256)
SCALES = 4


class UNetDecoder(nn.Module):
    """
    From coarse to fine: conv, nearest x2, concatenate the skip, conv.

    :param channels: of the encoder's five maps at strides 2, 4, 8, 16, 32.
    """

    quarter_channels = WIDTHS[2]

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for level in range(4, -1, -1):
            below = channels[4] if level == 4 else WIDTHS[level + 1]
            skip = channels[level - 1] if level > 0 else 0
            layers += [ConvElu(below, WIDTHS[level]),
                       ConvElu(WIDTHS[level] + skip, WIDTHS[level])]
        self.head = len(layers)
        layers += [ReflectionConv(WIDTHS[scale], 1) for scale in range(SCALES)]
        # One list, because the public weights number the layers.
        self.decoder = nn.ModuleList(layers)

    def forward(self, features: list[Tensor]) -> tuple[Tensor, Tensor]:
        """
        Decode.

        :param features: five maps at strides 2, 4, 8, 16, 32.
        :return: (B, 1, H, W) disparity in (0, 1), and the map at stride 4 before it.
        """
        levels = self._levels(features)
        return self._disparity(levels, 0), levels[2]

    def scales(self, features: list[Tensor]) -> list[Tensor]:
        """
        Decode at every scale, for the training loss.

        :param features: five maps at strides 2, 4, 8, 16, 32.
        :return: (B, 1, H / 2^i, W / 2^i) disparities in (0, 1), finest first.
        """
        levels = self._levels(features)
        return [self._disparity(levels, scale) for scale in range(SCALES)]

    def _disparity(self, levels: list[Tensor], scale: int) -> Tensor:
        """Read the disparity of a scale, in float32 also under autocast."""
        return torch.sigmoid(self.decoder[self.head + scale](levels[scale]).float())

    def _levels(self, features: list[Tensor]) -> list[Tensor]:
        """Return the decoder's features, finest first."""
        x = features[4]
        levels = []
        for level in range(4, -1, -1):
            first, second = self.decoder[2 * (4 - level)], self.decoder[2 * (4 - level) + 1]
            x = F.interpolate(first(x), scale_factor=2.0, mode='nearest')
            if level > 0:
                x = torch.cat([x, features[level - 1]], dim=1)
            x = second(x)
            levels.append(x)
        return levels[::-1]
