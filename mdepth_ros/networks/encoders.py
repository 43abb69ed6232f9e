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

"""The encoder that a configuration names."""

from mdepth_ros.config import Encoder
from mdepth_ros.networks.efficientnet import EfficientNetLite0Encoder
from mdepth_ros.networks.hrnet import HRNetEncoder
from mdepth_ros.networks.resnet import ResNetEncoder

AnyEncoder = HRNetEncoder | ResNetEncoder | EfficientNetLite0Encoder


def build_encoder(name: Encoder, in_channels: int = 3) -> AnyEncoder:
    """
    Build an encoder: image in [0, 1] -> features at strides 2, 4, 8, 16, 32.

    :param name: as in :class:`mdepth_ros.config.ModelConfig`.
    :param in_channels: 3, or 6 for a pair.
    :return: module with ``channels``, the five feature maps' channels.
    :raises ValueError: if the name is unknown.
    """
    if name == 'hrnet18':
        return HRNetEncoder(in_channels)
    if name == 'resnet18':
        return ResNetEncoder(in_channels)
    if name == 'efficientnet_lite0':
        return EfficientNetLite0Encoder(in_channels)
    raise ValueError(f'encoder must be hrnet18, resnet18 or efficientnet_lite0, got {name!r}')
