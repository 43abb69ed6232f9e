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

"""What sizes of images the networks take."""

from mdepth_ros.geometry.shapes import require_shape
from torch import Tensor

# The deepest features have 1/32 of the image's size.
STRIDE = 32


def require_image(name: str, image: Tensor, channels: int) -> None:
    """
    Refuse an image that the encoders cannot halve five times.

    :param name: what the caller calls it.
    :param image: what was given, should be (B, channels, H, W).
    :param channels: 3, or 6 for a pair.
    :raises ValueError: if the rank or the channels differ, or H or W is no multiple of 32.
    """
    require_shape(name, image, ('B', channels, 'H', 'W'))
    if image.shape[2] % STRIDE or image.shape[3] % STRIDE:
        raise ValueError(f'{name} must be (B, {channels}, H, W) with H and W multiples of '
                         f'{STRIDE}, got {tuple(image.shape)}')
