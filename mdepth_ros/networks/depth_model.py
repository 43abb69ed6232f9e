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

"""The networks of a profile, together."""

from mdepth_ros.config import ModelConfig
from mdepth_ros.networks.multi_frame import MultiFrameNet
from mdepth_ros.networks.pose import PoseNet
from mdepth_ros.networks.single_frame import SingleFrameNet
from mdepth_ros.networks.trust import TrustNet
from torch import nn


class DepthModel(nn.Module):
    """
    S-DepthNet, PoseNet, M-DepthNet and what blends them; stored in one checkpoint.

    It has no ``forward``: training and inference call them in different orders. It has no
    ``multi`` where the configuration says so.

    :param config: the architecture.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.single = SingleFrameNet(config)
        self.pose = PoseNet(config)
        if config.multi_frame:
            self.multi = MultiFrameNet(config)
        # It learns where the truth is known, not in the self-supervised stages.
        self.trust = TrustNet(self.single.feature_channels).requires_grad_(False)
