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

"""A bag that the disk does not take is one line."""

from full_disk import no_file_above
from mdepth_ros.engine.camera import Camera
from mdepth_ros.errors import MdepthError
from mdepth_ros.ros.camera_bag import CameraBag
import numpy as np
import pytest


def write_bag(folder):
    image = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    with CameraBag(folder, Camera.from_fov(640, 480, 90.0)) as bag:
        for index in range(10):
            bag.write(index, image)


def test_a_full_disk(tmp_path):
    with (no_file_above(2_000_000),
          pytest.raises(MdepthError, match=r'^cannot write .*/input: File too large$')):
        write_bag(tmp_path / 'input')
