"""Our light decoder for EfficientNet-Lite0: little work at high resolution."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdepth_ros.networks.blocks import upsample_bilinear

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
        bias = torch.zeros(5)
        bias[0] = torch.logit(torch.tensor(initial_disparity))
        self.head.bias = nn.Parameter(bias)
        self.head.weight.data *= 0.1

    def forward(self, features: list[Tensor]) -> Tensor:
        """
        Decode.

        :param features: five maps at strides 2, 4, 8, 16, 32.
        :return: (B, 1, H, W) disparity in (0, 1).
        """
        x = self.refine[4](self.lateral[4](features[4]))
        for i in range(3, -1, -1):
            x = self.lateral[i](features[i]) + upsample_bilinear(self.narrow[i](x))
            x = self.refine[i](x)
        logits = self.head(F.pad(x, (1, 1, 1, 1), mode='replicate'))  # (B, 5, H/2, W/2)
        detail = F.pixel_shuffle(logits[:, 1:], 2)  # (B, 1, H, W)
        return torch.sigmoid(upsample_bilinear(logits[:, :1]) + detail)

    def scales(self, features: list[Tensor]) -> list[Tensor]:
        """Return the disparities of all scales, finest first: here only one."""
        return [self.forward(features)]
