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

"""M-DepthNet with one search range for all pixels and images, as before PADS."""

import dataclasses
import math

from mdepth_ros.config import ModelConfig
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.networks.features import ImageFeatures
from mdepth_ros.networks.multi_frame import MultiFrameNet, MultiFrameOutput
import torch
from torch import Tensor


class GlobalRangeNet(MultiFrameNet):
    """
    PADS around one constant depth with one constant width is a global range.

    :param config: the architecture.
    """

    middle: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.register_buffer('middle', torch.ones(()))

    def set_range(self, nearest: float, farthest: float) -> None:
        """
        Choose the range.

        :param nearest: [m].
        :param farthest: [m].
        """
        self.middle.fill_(math.sqrt(nearest * farthest))
        self.delta.fill_(math.sqrt(farthest / nearest) - 1)

    def forward(
        self, target: ImageFeatures, source_matching: Tensor, single_depth: Tensor, K: Tensor,
        T_source_target: Tensor,
    ) -> MultiFrameOutput:
        """
        Estimate as :class:`MultiFrameNet` does, whatever ``single_depth`` is.

        :param single_depth: (B, 1, H, W) only its shape counts; the others as there.
        :return: as there.
        :raises ValueError: as there.
        """
        prior = self.middle.expand_as(single_depth)
        return super().forward(target, source_matching, prior, K, T_source_target)


def with_global_range(
    model: DepthModel, hypotheses: int, nearest: float, farthest: float
) -> DepthModel:
    """
    Give a model a new M-DepthNet that searches one range.

    :param model: its S-DepthNet and PoseNet are kept.
    :param hypotheses: D.
    :param nearest: [m].
    :param farthest: [m].
    :return: the same model, changed.
    """
    model.config = dataclasses.replace(model.config, hypotheses=hypotheses)
    net = GlobalRangeNet(model.config)
    net.set_range(nearest, farthest)
    model.multi = net
    return model
