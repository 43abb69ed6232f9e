import time
import zlib

import cv2
import numpy as np
import pytest

from mdepth_ros.errors import BadImage
from mdepth_ros.messages.compressed_file import claimed_size, decode_file

PIXELS = np.random.default_rng(0).integers(0, 256, (26, 36, 3), dtype=np.uint8)
FILES = {'png': cv2.imencode('.png', PIXELS)[1].tobytes(),
         'jpeg': cv2.imencode('.jpg', PIXELS)[1].tobytes(),
         'progressive': cv2.imencode('.jpg', PIXELS, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1]
         .tobytes()}


def claiming(name, width, height):
    """The same file with another size in its header."""
    data = FILES[name]
    if name == 'png':
        header = (b'IHDR' + width.to_bytes(4, 'big') + height.to_bytes(4, 'big') + data[24:29])
        return data[:12] + header + zlib.crc32(header).to_bytes(4, 'big') + data[33:]
    at = data.find(b'\xff\xc2' if name == 'progressive' else b'\xff\xc0')
    return data[:at + 5] + height.to_bytes(2, 'big') + width.to_bytes(2, 'big') + data[at + 9:]


@pytest.mark.parametrize('name', FILES)
def test_the_size_is_the_one_that_the_decoder_finds(name):
    assert claimed_size(FILES[name]) == (36, 26)
    assert decode_file(np.frombuffer(FILES[name], np.uint8), name).shape == (26, 36, 3)
    # A thumbnail in the EXIF header has a size of its own, and comes first.
    if name != 'png':
        thumbnail = FILES['jpeg'][:50] + b'\xff\xc0\0\x11\x08\0\1\0\1'
        application = b'\xff\xe1' + (len(thumbnail) + 2).to_bytes(2, 'big') + thumbnail
        assert claimed_size(FILES[name][:2] + application + FILES[name][2:]) == (36, 26)
        # libjpeg goes on at the next marker, so what lies before it must not hide the size.
        noisy = FILES[name][:2] + b'\1\2\xff\xff\xff\0' + FILES[name][2:]
        assert claimed_size(noisy) == (36, 26)


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('size', [(30000, 30000), (65500, 16000)])
def test_a_small_file_of_a_huge_image_is_refused_at_once(name, size):
    data = np.frombuffer(claiming(name, *size), np.uint8)
    assert claimed_size(data.tobytes()) == size
    start_s = time.process_time()
    with pytest.raises(BadImage, match=f'at most 67108864 pixels, its header says {size[0]} x '):
        decode_file(data, name)
    assert time.process_time() - start_s < 0.2  # OpenCV takes seconds, and gigabytes


@pytest.mark.parametrize('name', FILES)
def test_no_size_before_the_file_ends(name):
    with pytest.raises(BadImage, match=r'broken image of format .*: no size in its 24 bytes'):
        decode_file(np.frombuffer(FILES[name][:12] + FILES[name][-12:], np.uint8), name)


def test_a_part_of_a_png_that_claims_more_than_there_is():
    data = FILES['png']
    at = data.index(b'IDAT') - 4
    claims = data[:at] + (2**31 - 1).to_bytes(4, 'big') + data[at + 4:]
    with pytest.raises(BadImage, match=r'its parts are longer than its \d+ bytes'):
        decode_file(np.frombuffer(claims, np.uint8), 'png')
    # A driver's buffer may be longer than its file.
    assert decode_file(np.frombuffer(data + bytes(99), np.uint8), 'png').shape == (26, 36, 3)
