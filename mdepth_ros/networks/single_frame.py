"""S-DepthNet: one image -> disparity."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mdepth_ros.config import ModelConfig
from mdepth_ros.geometry.depth import depth_to_disparity
from mdepth_ros.networks.encoders import build_encoder
from mdepth_ros.networks.fusion_decoder import FusionDecoder
from mdepth_ros.networks.light_decoder import LightDecoder
from mdepth_ros.networks.unet_decoder import UNetDecoder

# Where an untrained light decoder puts the world [m]: a robot's usual distance.
INITIAL_DEPTH = 5.0


class SingleFrameOutput(NamedTuple):
    """
    S-DepthNet's answer; a tuple, so that exporters can take it apart.

    ``disparity`` (B, 1, H, W) in (0, 1); ``features`` (B, C, H / 4, W / 4) that it was read from.
    """

    disparity: Tensor
    features: Tensor


class SingleFrameNet(nn.Module):
    """
    Encoder and decoder of S-DepthNet.

    :param config: names both and bounds the depth.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.encoder = build_encoder(config.single_encoder)
        self.decoder = _build_decoder(config, self.encoder.channels)
        self.feature_channels = self.decoder.quarter_channels

    def forward(self, image: Tensor) -> SingleFrameOutput:
        """
        Predict the disparity.

        :param image: (B, 3, H, W) in [0, 1], H and W multiples of 32.
        :return: disparity, and what it was read from.
        :raises ValueError: if the shape differs from the one above.
        """
        return SingleFrameOutput(*self.decoder(self.encoder(image)))

    def scales(self, image: Tensor) -> list[Tensor]:
        """
        Predict the disparity at every scale that the decoder has, for the training loss.

        :param image: (B, 3, H, W) in [0, 1], H and W multiples of 32.
        :return: (B, 1, H / 2^i, W / 2^i) disparities in (0, 1), finest first.
        :raises ValueError: if the shape differs from the one above.
        """
        return self.decoder.scales(self.encoder(image))


def _build_decoder(config: ModelConfig, channels: tuple[int, ...]
                   ) -> FusionDecoder | UNetDecoder | LightDecoder:
    """Build the decoder that the configuration names."""
    if config.single_decoder == 'fusion':
        return FusionDecoder(channels)
    if config.single_decoder == 'unet':
        return UNetDecoder(channels)
    start = min(max(INITIAL_DEPTH, 1.1 * config.min_depth), 0.9 * config.max_depth)
    disparity = depth_to_disparity(torch.tensor(start), config.min_depth, config.max_depth)
    return LightDecoder(channels, float(disparity))
