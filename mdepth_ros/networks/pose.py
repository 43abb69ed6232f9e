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

"""PoseNet: two frames -> the camera's motion between them."""

from typing import NamedTuple

from mdepth_ros.config import ModelConfig
from mdepth_ros.geometry.pose import motion_from_parameters
from mdepth_ros.networks.encoders import build_encoder
from mdepth_ros.networks.shapes import require_image
import torch
from torch import nn, Tensor
import torch.nn.functional as F

# Keeps the first predictions near zero motion, where the photometric loss has a slope.
OUTPUT_SCALE = 0.01


class MotionParameters(NamedTuple):
    """``axis_angle`` (B, 3) [rad] and ``translation`` (B, 3) [m, up to scale]."""

    axis_angle: Tensor
    translation: Tensor


class PoseDecoder(nn.Module):
    """
    The encoder's coarsest map -> two motions, of which the first is used.

    :param in_channels: of the coarsest map.
    :param hidden: channels inside; 256 is the paper's.
    """

    def __init__(self, in_channels: int, hidden: int = 256) -> None:
        super().__init__()
        self.net = nn.ModuleList([
            nn.Conv2d(in_channels, hidden, 1),
            nn.Conv2d(hidden, hidden, 3, padding=1),
            nn.Conv2d(hidden, hidden, 3, padding=1),
            nn.Conv2d(hidden, 12, 1),
        ])

    def forward(self, feature: Tensor) -> Tensor:
        """
        Decode.

        :param feature: (B, C, h, w) the encoder's coarsest map.
        :return: (B, 2, 6) axis-angle [rad], then translation [m, up to scale].
        """
        x = feature
        for layer in self.net[:3]:
            x = F.relu(layer(x))
        return OUTPUT_SCALE * self.net[3](x).float().mean(dim=(2, 3)).view(-1, 2, 6)


class PoseNet(nn.Module):
    """
    Encoder on the stacked pair, and decoder.

    :param config: names the encoder.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.encoder = build_encoder(config.pose_encoder, in_channels=6)
        # The paper's 256 hidden channels are 1.3 M parameters; the lite encoder needs fewer.
        hidden = 128 if config.pose_encoder == 'efficientnet_lite0' else 256
        self.decoder = PoseDecoder(self.encoder.channels[-1], hidden)

    def forward(self, earlier: Tensor, later: Tensor) -> MotionParameters:
        """
        Estimate the parameters of ``T_later_earlier``.

        :param earlier: (B, 3, H, W) the frame taken first, in [0, 1].
        :param later: (B, 3, H, W) the frame taken second, in [0, 1].
        :return: the parameters.
        :raises ValueError: if a shape differs from the ones above.
        """
        require_image('earlier', earlier, 3)
        if later.shape != earlier.shape:
            raise ValueError(f'later must be {tuple(earlier.shape)} like earlier, '
                             f'got {tuple(later.shape)}')
        features = self.encoder(torch.cat([earlier, later], dim=1))
        parameters = self.decoder(features[-1])[:, 0]
        return MotionParameters(parameters[:, :3], parameters[:, 3:])

    def motion(self, earlier: Tensor, later: Tensor) -> Tensor:
        """
        Estimate ``T_later_earlier``.

        Always in this order: for a source before the target it is the inverse of
        ``T_source_target``, for a source after the target it is ``T_source_target`` itself.

        :param earlier: (B, 3, H, W) the frame taken first, in [0, 1].
        :param later: (B, 3, H, W) the frame taken second, in [0, 1].
        :return: (B, 4, 4) motion from the earlier to the later camera.
        :raises ValueError: if a shape differs from the ones above.
        """
        return motion_from_parameters(*self.forward(earlier, later))
