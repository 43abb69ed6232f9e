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

"""The size of an image file is known before it is decoded, and what is broken is an error."""

from contextlib import suppress
import struct
import time

import cv2
from image_claims import claiming
from mdepth_ros.errors import BadImage
from mdepth_ros.messages.image_file import COMPRESSED, decode_file, FORMATS
from mdepth_ros.messages.image_size import claimed_size
import numpy as np
import pytest

PIXELS = np.random.default_rng(0).integers(0, 256, (26, 36, 3), dtype=np.uint8)


def encoded(suffix, *how):
    grey = suffix in ('.pgm', '.pbm')
    return cv2.imencode(suffix, PIXELS[..., 0] if grey else PIXELS, how)[1].tobytes()


FILES = {name: encoded(f'.{name}') for name in ('png', 'jpg', 'bmp', 'ppm', 'pgm', 'pbm', 'tiff')}
FILES['progressive'] = encoded('.jpg', cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
FILES['plain ppm'] = encoded('.ppm', cv2.IMWRITE_PXM_BINARY, 0)
FILES['commented ppm'] = FILES['ppm'].replace(b'36 26', b'# 7 8\n36\t# 9\n 26')
FILES['upside-down bmp'] = FILES['bmp'][:22] + struct.pack('<i', -26) + FILES['bmp'][26:]
JPEGS = ('jpg', 'progressive')


@pytest.mark.parametrize('name', FILES)
def test_the_size_is_the_one_that_the_decoder_finds(name):
    assert claimed_size(FILES[name]) == (36, 26)
    assert decode_file(FILES[name], name).shape[:2] == (26, 36)
    # What the test below changes is what the decoder takes for the size.
    assert claimed_size(claiming(FILES[name], 36, 13)) == (36, 13)
    assert decode_file(claiming(FILES[name], 36, 13), name).shape[:2] == (13, 36)


@pytest.mark.parametrize('name', JPEGS)
def test_what_hides_the_size_of_a_jpeg(name):
    # A thumbnail in the EXIF header has a size of its own, and comes first.
    thumbnail = FILES['jpg'][:50] + b'\xff\xc0\0\x11\x08\0\1\0\1'
    application = b'\xff\xe1' + (len(thumbnail) + 2).to_bytes(2, 'big') + thumbnail
    assert claimed_size(FILES[name][:2] + application + FILES[name][2:]) == (36, 26)
    # libjpeg goes on at the next marker, so what lies before it must not hide the size.
    noisy = FILES[name][:20] + b'\1\2\xff\xff\xff\0' + FILES[name][20:]
    assert claimed_size(noisy) == (36, 26)


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('size', [(30000, 30000), (65500, 16000)])
def test_a_small_file_of_a_huge_image_is_refused_at_once(name, size):
    data = claiming(FILES[name], *size)
    assert claimed_size(data) == size
    start_s = time.process_time()
    with pytest.raises(BadImage, match=f'at most 67108864 pixels, its header says {size[0]} x '):
        decode_file(data, name)
    assert time.process_time() - start_s < 0.2  # OpenCV takes seconds, and gigabytes


@pytest.mark.parametrize('name', ['png', *JPEGS])
def test_no_size_before_the_file_ends(name):
    with pytest.raises(BadImage, match=r'is broken: no size in its 24 bytes'):
        decode_file(FILES[name][:12] + FILES[name][-12:], name)


@pytest.mark.parametrize('name', FILES)
def test_a_file_that_is_cut_off(name):
    for length in range(0, len(FILES[name]), 7):
        with suppress(BadImage):
            image = decode_file(FILES[name][:length], name)
            # Rows may be missing where a format has no end.
            assert image.shape[:2] == (26, 36)
            assert name not in ('png', *JPEGS)


def test_a_part_of_a_png_that_claims_more_than_there_is():
    data = FILES['png']
    at = data.index(b'IDAT') - 4
    claims = data[:at] + (2**31 - 1).to_bytes(4, 'big') + data[at + 4:]
    with pytest.raises(BadImage, match=r'its parts are longer than its \d+ bytes'):
        decode_file(claims, 'png')
    # A driver's buffer may be longer than its file.
    assert decode_file(data + bytes(99), 'png').shape == (26, 36, 3)


def test_formats_are_those_that_were_asked_for():
    assert {'jpeg', 'png', 'bmp', 'pnm', 'tiff'} == set(FORMATS)
    with pytest.raises(BadImage, match=r'^it must be one of jpeg, png, got \d+ bytes starting'):
        decode_file(FILES['bmp'], 'it', formats=COMPRESSED)
    with pytest.raises(BadImage, match=r'^it must be one of jpeg, .*tiff, got 0 bytes starting'):
        decode_file(b'', 'it')
