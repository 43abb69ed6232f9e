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

from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.frames import Frame
from mdepth_ros.errors import BadImage
import numpy as np
import pytest

CAMERA = Camera.from_fov(64, 48, 80.0)


@pytest.mark.parametrize('rgb', [
    np.zeros((64, 48, 3), np.uint8), np.zeros((48, 64), np.uint8),
    np.zeros((48, 64, 4), np.uint8), np.zeros((48, 64, 3), np.float32)])
def test_a_frame_fits_its_camera(rgb):
    with pytest.raises(BadImage, match=r'the camera gives \(48, 64, 3\) uint8 images, got'):
        Frame(rgb, CAMERA, 0)
    Frame(np.zeros((48, 64, 3), np.uint8), CAMERA, 0)
