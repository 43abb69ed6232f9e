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

"""Our light decoder for EfficientNet-Lite0: little work at high resolution."""

from collections.abc import Sequence
import math

from mdepth_ros.networks.blocks import EnlargeBilinear, upsample_bilinear
import torch
from torch import nn, Tensor
import torch.nn.functional as F

# Channels at strides 2, 4, 8, 16, 32.
WIDTHS = (24, 32, 48, 64, 96)


class ReplicateConv(nn.Module):
    """A 3x3 convolution over a repeated border, batch norm, ReLU: borders see no false zeros."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, bias=False)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, h, w) to (B, C, h, w)."""
        return F.relu(self.bn(self.conv(F.pad(x, (1, 1, 1, 1), mode='replicate'))))


class LightDecoder(nn.Module):
    """
    Add a 1x1 view of each skip to the enlarged coarser map, then convolve.

    The last layer works at stride 2 and predicts five numbers per pixel: one disparity logit, to
    be enlarged smoothly, and what to add to it at each of the four pixels below. No layer runs at
    full resolution, where one costs as much as the rest of the decoder.

    :param channels: of the encoder's five maps at strides 2, 4, 8, 16, 32.
    :param initial_disparity: what an untrained network predicts about everywhere, in (0, 1).
    """

    quarter_channels = WIDTHS[1]
    offset: Tensor

    def __init__(self, channels: Sequence[int], initial_disparity: float = 0.02) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(c, w, 1) for c, w in zip(channels, WIDTHS))
        # A 1x1 convolution commutes with the enlargement, so it runs on the smaller map.
        self.narrow = nn.ModuleList(nn.Conv2d(WIDTHS[i + 1], WIDTHS[i], 1, bias=False)
                                    for i in range(4))
        self.refine = nn.ModuleList(
            nn.Sequential(*(ReplicateConv(WIDTHS[i]) for _ in range(1 if i in (0, 4) else 2)))
            for i in range(5)
        )
        self.head = nn.Conv2d(WIDTHS[0], 5, 3)
        self.enlarge = EnlargeBilinear(2)
        # Added in float32: in bfloat16 logits of its size are 1 % of depth apart. Itself it is
        # the same in both.
        logit = math.log(initial_disparity / (1 - initial_disparity))
        self.register_buffer('offset', torch.tensor([round(16 * logit) / 16]))
        nn.init.zeros_(self.head.bias)
        self.head.weight.data *= 0.1

    def forward(self, features: list[Tensor]) -> tuple[Tensor, Tensor]:
        """
        Decode.

        :param features: five maps at strides 2, 4, 8, 16, 32.
        :return: (B, 1, H, W) disparity in (0, 1), and the map at stride 4 before it.
        """
        x = self.refine[4](self.lateral[4](features[4]))
        levels = []
        for i in range(3, -1, -1):
            x = self.lateral[i](features[i]) + upsample_bilinear(self.narrow[i](x))
            x = self.refine[i](x)
            levels.append(x)
        logits = self.head(F.pad(x, (1, 1, 1, 1), mode='replicate')).float()  # (B, 5, H/2, W/2)
        detail = F.pixel_shuffle(logits[:, 1:], 2)  # (B, 1, H, W)
        return torch.sigmoid(self.offset.float() + self.enlarge(logits[:, :1]) + detail), levels[2]

    def scales(self, features: list[Tensor]) -> list[Tensor]:
        """Return the disparities of all scales, finest first: here only one."""
        return [self.forward(features)[0]]
