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

"""ResNet-18 as an encoder; state-dict keys are torchvision's under ``encoder.``."""

from mdepth_ros.networks.shapes import require_image
from torch import nn, Tensor
import torch.nn.functional as F

MEAN, STD = 0.45, 0.225


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a skip; HRNet's branches are made of the same block."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.downsample: nn.Module | None = None
        if stride != 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, h, w) to (B, C_out, h / stride, w / stride)."""
        skip = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)) + skip)


class ResNet18(nn.Module):
    """The trunk of ResNet-18 without its classifier."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(BasicBlock(64, 64), BasicBlock(64, 64))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2), BasicBlock(256, 256))
        self.layer4 = nn.Sequential(BasicBlock(256, 512, 2), BasicBlock(512, 512))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (B, C, H, W) to features at strides 2, 4, 8, 16, 32."""
        stem = F.relu(self.bn1(self.conv1(x)))
        features = [stem, self.layer1(F.max_pool2d(stem, 3, 2, 1))]
        for layer in (self.layer2, self.layer3, self.layer4):
            features.append(layer(features[-1]))
        return features


class ResNetEncoder(nn.Module):
    """
    ResNet-18 on one image or on a pair stacked along the channels.

    :param in_channels: 3, or 6 for a pair.
    """

    channels = (64, 64, 128, 256, 512)

    def __init__(self, in_channels: int = 3) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.encoder = ResNet18(in_channels)

    def forward(self, image: Tensor) -> list[Tensor]:
        """
        Encode.

        :param image: (B, in_channels, H, W) in [0, 1], H and W multiples of 32.
        :return: five maps at strides 2, 4, 8, 16, 32 with ``channels`` channels.
        :raises ValueError: if the shape differs from the one above.
        """
        require_image('image', image, self.in_channels)
        return self.encoder((image - MEAN) / STD)
