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

"""Points and colours as the bytes of a PointCloud2."""

import cv2
import numpy as np
from numpy.typing import NDArray


def pack_points(points: NDArray[np.float32], rgb: NDArray[np.uint8],
                packed: NDArray[np.float32]) -> None:
    """
    Write x y z rgb as PCL does: the bytes b g r 0 in the place of a little-endian float.

    :param points: (3, H, W) float32 [m].
    :param rgb: (H, W, 3) uint8 colours.
    :param packed: (H, W, 4) float32, filled in place: NumPy's strided assignments take several
        times as long as OpenCV's.
    """
    colours = np.zeros((*rgb.shape[:2], 4), np.uint8)
    cv2.mixChannels([rgb], [colours], [0, 2, 1, 1, 2, 0])
    cv2.merge([*points, colours.view(np.float32)[..., 0]], packed)
