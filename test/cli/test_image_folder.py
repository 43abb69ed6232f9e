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

"""A folder of images: the first one that can be read tells the size."""

import cv2
from mdepth_ros.cli.image_folder import open_image_folder
from mdepth_ros.engine.camera_choice import CameraChoice
from mdepth_ros.errors import MdepthError
import numpy as np
import pytest

HUGE = b'P6\n30000 30000\n255\n'
CHOICE = CameraChoice(fov_deg=80.0)


def test_broken_and_huge_images_do_not_tell_the_size(tmp_path):
    (tmp_path / 'a.ppm').write_bytes(HUGE)
    (tmp_path / 'b.png').write_bytes(b'')
    # OpenCV raises an error for that many pixels, where it only says no to others.
    (tmp_path / 'c.ppm').write_bytes(b'P6\n1000000 1000000\n255\n')
    cv2.imwrite(str(tmp_path / 'd.png'), np.zeros((26, 36, 3), np.uint8))
    folder = open_image_folder(tmp_path, CHOICE)
    assert len(folder.entries) == 4
    assert (folder.camera.width, folder.camera.height) == (36, 26)


def test_numbers_count(tmp_path):
    names = ['a1.png', 'a2.png', 'a10.png', 'a10b2.png', 'a10b11.png', 'b.png']
    for name in names[::-1]:
        cv2.imwrite(str(tmp_path / name), np.zeros((26, 36, 3), np.uint8))
    (tmp_path / '7.png').write_bytes((tmp_path / 'b.png').read_bytes())
    (tmp_path / '007.png').write_bytes((tmp_path / 'b.png').read_bytes())
    assert [entry.image for entry in open_image_folder(tmp_path, CHOICE).entries] == [
        '007.png', '7.png', *names]


def test_none_that_can_be_read(tmp_path):
    (tmp_path / 'a.ppm').write_bytes(HUGE)
    (tmp_path / 'b.png').write_bytes(b'')
    with pytest.raises(MdepthError, match=r'none of the 2 images can be read; \S+a\.ppm must have '
                                          r'at most 67108864 pixels') as error:
        open_image_folder(tmp_path, CHOICE)
    assert '\n' not in str(error.value)
