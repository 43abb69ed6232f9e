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

"""A file that is not whole, or not what it should be, is an error and never a grey picture."""

import cv2
from mdepth_ros.training.datasets.image_files import read_depth, read_mask, read_rgb, read_size
from mdepth_ros.training.datasets.sequence import DataError
import numpy as np
import pytest

RED, BLUE = (255, 0, 0), (0, 0, 255)


def picture(height=48, width=64):
    rgb = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    rgb[:16, :16] = RED
    return rgb


def encode(rgb, suffix):
    return cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


def with_exif(jpeg, payload):
    """Return the same JPEG with an EXIF block."""
    block = b'Exif\x00\x00' + payload
    return jpeg[:2] + b'\xff\xe1' + (len(block) + 2).to_bytes(2, 'big') + block + jpeg[2:]


def test_pixels_and_colours(tmp_path):
    rgb = picture()
    (tmp_path / 'a.png').write_bytes(encode(rgb, '.png'))
    np.testing.assert_array_equal(read_rgb(tmp_path / 'a.png', 64, 48), rgb)
    (tmp_path / 'a.jpg').write_bytes(encode(rgb, '.jpg'))
    near = read_rgb(tmp_path / 'a.jpg', 64, 48)[4:12, 4:12].astype(int)
    assert np.abs(near - RED).max() < 12
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    cv2.imwrite(str(tmp_path / 'g.png'), grey)
    np.testing.assert_array_equal(read_rgb(tmp_path / 'g.png', 4, 3), np.dstack([grey] * 3))


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
@pytest.mark.parametrize('share', [0.0, 0.02, 0.5, 0.98])
def test_half_a_file(suffix, share, tmp_path):
    data = encode(picture(), suffix)
    path = tmp_path / f'a{suffix}'
    path.write_bytes(data[:int(share * len(data))])
    with pytest.raises(DataError, match=str(path)):
        read_rgb(path, 64, 48)


def test_a_thumbnail_does_not_hide_that_the_image_is_cut_off(tmp_path):
    data = with_exif(encode(picture(), '.jpg'), encode(picture(8, 8), '.jpg'))
    (tmp_path / 'whole.jpg').write_bytes(data + b'\x00' * 20)
    assert read_rgb(tmp_path / 'whole.jpg', 64, 48).shape == (48, 64, 3)
    (tmp_path / 'half.jpg').write_bytes(data[:-1000])
    with pytest.raises(DataError, match=r'half\.jpg is cut off'):
        read_rgb(tmp_path / 'half.jpg', 64, 48)


def test_pixels_stay_where_the_intrinsics_expect_them(tmp_path):
    # An EXIF orientation of 6: a viewer would turn the image by 90 degrees.
    tiff = b'II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00' + \
        b'\x00' * 4
    (tmp_path / 'a.jpg').write_bytes(with_exif(encode(picture(), '.jpg'), tiff))
    assert read_rgb(tmp_path / 'a.jpg', 64, 48).shape == (48, 64, 3)


def test_wrong_size_missing_and_no_image(tmp_path):
    path = tmp_path / 'a.png'
    path.write_bytes(encode(picture(), '.png'))
    with pytest.raises(DataError, match=r'a\.png is 64 x 48, its camera 48 x 64'):
        read_rgb(path, 48, 64)
    with pytest.raises(DataError, match=r'b\.png is not readable: No such file'):
        read_rgb(tmp_path / 'b.png', 48, 64)
    path.write_bytes(b'hello')
    with pytest.raises(DataError, match=r'a\.png must be one of jpeg, .*, got 5 bytes'):
        read_rgb(path, 48, 64)


def test_a_small_file_of_a_huge_image(tmp_path):
    path = tmp_path / 'a.ppm'
    path.write_bytes(b'P6\n30000 30000\n255\n')
    for read in (lambda: read_rgb(path, 30000, 30000), lambda: read_size(path),
                 lambda: read_depth(path, 0.001), lambda: read_mask(path)):
        with pytest.raises(DataError, match=r'a\.ppm must have at most 67108864 pixels'):
            read()


def test_a_name_of_two_lines_is_told_in_one(tmp_path):
    with pytest.raises(DataError, match='a b') as error:
        read_size(tmp_path / 'a\nb')
    assert '\n' not in str(error.value)


def test_depth(tmp_path):
    path = tmp_path / 'd.png'
    cv2.imwrite(str(path), np.array([[0, 1], [256, 65535]], np.uint16))
    np.testing.assert_array_equal(
        read_depth(path, 1 / 256), np.array([[np.nan, 1 / 256], [1, 65535 / 256]], np.float32))
    cv2.imwrite(str(path), np.zeros((2, 2), np.uint8))
    with pytest.raises(DataError, match=r'd\.png must be a 16-bit PNG'):
        read_depth(path, 0.001)


def test_mask(tmp_path):
    path = tmp_path / 'm.png'
    cv2.imwrite(str(path), np.array([[0, 1], [255, 0]], np.uint8))
    np.testing.assert_array_equal(read_mask(path), [[False, True], [True, False]])
    cv2.imwrite(str(path), np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(DataError, match='one channel'):
        read_mask(path)
