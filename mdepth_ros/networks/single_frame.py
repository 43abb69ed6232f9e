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

"""S-DepthNet: one image -> disparity."""

from typing import NamedTuple

from mdepth_ros.config import ModelConfig
from mdepth_ros.geometry.depth import depth_to_disparity
from mdepth_ros.networks.blocks import resize_map
from mdepth_ros.networks.canonical import size_seen
from mdepth_ros.networks.encoders import build_encoder
from mdepth_ros.networks.fusion_decoder import FusionDecoder
from mdepth_ros.networks.light_decoder import LightDecoder
from mdepth_ros.networks.shapes import require_image
from mdepth_ros.networks.unet_decoder import UNetDecoder
import torch
from torch import nn, Tensor
import torch.nn.functional as F

# Where an untrained light decoder puts the world of the canonical camera [m]: a robot's usual
# distance.
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

    Large images are reduced before and disparities enlarged after: how far things are shows in
    the whole of a picture, of which the encoder sees the less the larger it is. Details come from
    matching.

    :param config: names both and bounds the depth; its ``single_side`` says what is large.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.side = config.single_side
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
        disparity, features = self.decoder(self.encoder(self._reduced(image)))
        H, W = image.shape[-2:]
        return SingleFrameOutput(_resized(disparity, H, W), _resized(features, H // 4, W // 4))

    def scales(self, image: Tensor) -> list[Tensor]:
        """
        Predict the disparity at every scale that the decoder has, for the training loss.

        :param image: (B, 3, H, W) in [0, 1], H and W multiples of 32.
        :return: (B, 1, H / 2^i, W / 2^i) disparities in (0, 1), finest first.
        :raises ValueError: if the shape differs from the one above.
        """
        H, W = image.shape[-2:]
        return [_resized(disparity, H >> i, W >> i)
                for i, disparity in enumerate(self.decoder.scales(self.encoder(
                    self._reduced(image))))]

    def _reduced(self, image: Tensor) -> Tensor:
        """Shrink what is large."""
        require_image('image', image, 3)
        return _resized(image, *size_seen(*image.shape[-2:], self.side))


def _resized(x: Tensor, height: int, width: int) -> Tensor:
    """To this size, pixel areas aligned; the same tensor where it has it."""
    if tuple(x.shape[-2:]) == (height, width):
        return x
    if x.shape[1] <= 3:  # images and disparities
        return resize_map(x.float(), height, width).to(x.dtype)
    return F.interpolate(x, (height, width), mode='bilinear', align_corners=False)


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
