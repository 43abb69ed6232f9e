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

"""Frames that can be matched, for where there is no camera."""

from collections.abc import Iterator

import cv2
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.frames import Frame
import numpy as np

WIDTH, HEIGHT = 640, 480


def approach_wall(count: int) -> Iterator[Frame]:
    """
    Drive towards a wall of blots.

    :param count: of frames.
    :return: the frames, 1 ns apart.
    """
    camera = Camera.from_fov(WIDTH, HEIGHT, 90.0)
    blots = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    for i in range(count):
        left, top = 16 * i, 12 * i
        wall = cv2.resize(blots, (WIDTH + 2 * left, HEIGHT + 2 * top))
        seen = wall[top:top + HEIGHT, left:left + WIDTH]
        yield Frame(np.ascontiguousarray(seen, np.uint8), camera, i + 1)
