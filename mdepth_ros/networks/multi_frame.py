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

"""M-DepthNet: match the target with its sources around the single-frame depth."""

from typing import NamedTuple

from mdepth_ros.config import ModelConfig
from mdepth_ros.geometry.shapes import require_shape
from mdepth_ros.networks.cost_volume import correlation_volume
from mdepth_ros.networks.features import FeatureNet, ImageFeatures, MATCHING_STRIDE
from mdepth_ros.networks.hypotheses import depth_hypotheses, downsample_nearest, resize_delta
from mdepth_ros.networks.readout import read_depth
from mdepth_ros.networks.regulariser import UNet2d, UNet3d
from mdepth_ros.networks.upsampler import ConvexUpsampler
import torch
from torch import nn, Tensor


class MultiFrameOutput(NamedTuple):
    """
    M-DepthNet's answer; a tuple, so that exporters can take it apart.

    ``depth`` (B, 1, H, W) [m]; ``depth_quarter`` (B, 1, h, w) [m]; ``probabilities`` (B, D, h, w)
    over the hypotheses; ``window_mass`` (B, 1, h, w), the probability around the best hypothesis;
    ``hypotheses`` (B, D, h, w) [m], index 0 is the far end.
    """

    depth: Tensor
    depth_quarter: Tensor
    probabilities: Tensor
    window_mass: Tensor
    hypotheses: Tensor


class MultiFrameNet(nn.Module):
    """
    Features, cost volume, regulariser, read-out, upsampling.

    ``delta`` (1, 1, height / 4, width / 4) is PADS' relative search width: estimated while
    training, stored with the weights at the training size, resized to the running one.

    :param config: the architecture, and the size of delta.
    """

    delta: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.hypotheses, self.groups = config.hypotheses, config.groups
        self.feature_net = FeatureNet(config.matching_channels)
        self.regulariser: nn.Module = (
            UNet3d(config.groups) if config.regulariser == 'unet3d'
            else UNet2d(config.groups, config.hypotheses)
        )
        self.upsampler = ConvexUpsampler(self.feature_net.context_channels,
                                         config.upsampler_padding)
        size = (1, 1, config.height // MATCHING_STRIDE, config.width // MATCHING_STRIDE)
        self.register_buffer('delta', torch.ones(size))

    def features(self, image: Tensor) -> ImageFeatures:
        """
        Describe a frame; a source's answer can be kept from when it was the target.

        :param image: (B, 3, H, W) in [0, 1], H and W multiples of 32.
        :return: matching and context features at 1/4 resolution.
        :raises ValueError: if the shape differs from the one above.
        """
        return self.feature_net(image)

    def forward(
        self,
        target: ImageFeatures,
        source_matching: Tensor,
        single_depth: Tensor,
        K: Tensor,
        T_source_target: Tensor,
    ) -> MultiFrameOutput:
        """
        Estimate the target's depth.

        No gradient reaches ``single_depth``. ``T_source_target`` is used as it is: detach it where
        PoseNet must not learn from M-DepthNet.

        :param target: the target's features.
        :param source_matching: (B, S, C, h, w) the sources' matching features.
        :param single_depth: (B, 1, H, W) the target's single-frame depth [m].
        :param K: (B, 3, 3) intrinsics at the matching resolution [px].
        :param T_source_target: (B, S, 4, 4) motions from the target to the sources.
        :return: depth, and what it was read from.
        :raises ValueError: if a shape differs from the ones above.
        """
        B, _, h, w = target.matching.shape
        require_shape('single_depth', single_depth,
                      (B, 1, MATCHING_STRIDE * h, MATCHING_STRIDE * w))
        hypotheses = depth_hypotheses(
            downsample_nearest(single_depth.detach(), h, w),
            resize_delta(self.delta, h, w),
            self.hypotheses,
        )
        volume = correlation_volume(target.matching, source_matching, hypotheses, K,
                                    T_source_target, self.groups)
        probabilities = self.regulariser(volume).softmax(dim=1)
        depth_quarter, window_mass = read_depth(probabilities, hypotheses)
        depth = self.upsampler(depth_quarter, target.context)
        return MultiFrameOutput(depth, depth_quarter, probabilities, window_mass, hypotheses)
