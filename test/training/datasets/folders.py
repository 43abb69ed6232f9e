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

"""Small frames folders for the tests of this folder."""

import json

import cv2
import numpy as np

K = [[50.0, 0.0, 31.5], [0.0, 50.0, 23.5], [0.0, 0.0, 1.0]]


def make_frames_folder(path, count, truth=True, value=0):
    """Make a folder of 64 x 48 images, each of one grey: ``value`` plus its number."""
    path.mkdir(parents=True)
    frames = []
    for n in range(count):
        cv2.imwrite(str(path / f'{n}.png'), np.full((48, 64, 3), value + n, np.uint8))
        frames.append({'image': f'{n}.png', 'stamp_ns': 1000 + 10 * n})
        if truth:
            cv2.imwrite(str(path / f'd{n}.png'), np.full((24, 32), 1000 * (n + 1), np.uint16))
            cv2.imwrite(str(path / f'm{n}.png'), np.full((24, 32), n % 2, np.uint8))
            pose = np.eye(4)
            pose[0, 3] = n
            frames[-1].update(depth=f'd{n}.png', moving=f'm{n}.png',
                              T_world_camera=pose.tolist())
    (path / 'frames.json').write_text(json.dumps(
        {'width': 64, 'height': 48, 'K': K, 'depth_unit_m': 0.002, 'frames': frames}))
    return path
