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

import array

from camera_messages import CompressedImage, Image
import cv2
from hypothesis import given, settings
from hypothesis import strategies as st
from mdepth_ros.errors import BadImage, MdepthError
from mdepth_ros.messages.images import BYTES_PER_PIXEL, decode_compressed, decode_image
import numpy as np
import pytest

WIDTH, HEIGHT = 36, 26
# Position of red, green and blue in a 2 x 2 tile, by row then column.
TILES = {'bayer_rggb8': 'rggb', 'bayer_bggr8': 'bggr', 'bayer_gbrg8': 'gbrg',
         'bayer_grbg8': 'grbg'}
EXACT = ('rgb8', 'bgr8', 'rgba8', 'bgra8', '8UC3')
GREY = ('mono8', 'mono16', '8UC1')


@pytest.fixture
def rgb():
    """Paint smoothly, so that Bayer and YUV lose little, with very different channels."""
    v, u = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    planes = [40 + 5 * u, 200 - 5 * v, 90 + 2 * u - v]
    return np.stack(planes, axis=-1).clip(0, 255).astype(np.uint8)


def luma(rgb):
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)


def encode(rgb, encoding, big_endian=False):
    """Rows of bytes (H, n), written from the definitions and not with the decoder's tools."""
    height, width = rgb.shape[:2]
    r, g, b = (rgb[..., channel] for channel in range(3))
    full = np.full_like(r, 77)
    if encoding in EXACT:
        order = {'rgb8': (r, g, b), 'bgr8': (b, g, r), '8UC3': (b, g, r),
                 'rgba8': (r, g, b, full), 'bgra8': (b, g, r, full)}[encoding]
        return np.stack(order, axis=-1).reshape(height, -1)
    if encoding in ('mono8', '8UC1'):
        return luma(rgb)
    if encoding == 'mono16':
        wide = luma(rgb).astype(np.uint16) * 256 + 171
        return wide.astype('>u2' if big_endian else '<u2').view(np.uint8)
    if encoding in TILES:
        mosaic = np.empty((height, width), np.uint8)
        for index, colour in enumerate(TILES[encoding]):
            y, x = divmod(index, 2)
            mosaic[y::2, x::2] = {'r': r, 'g': g, 'b': b}[colour][y::2, x::2]
        return mosaic
    # ITU-R BT.601, limited range; both pixels of a pair share U and V.
    red, green, blue = (plane.astype(np.float64) for plane in (r, g, b))
    Y = 16 + 0.257 * red + 0.504 * green + 0.098 * blue
    U = (128 - 0.148 * red - 0.291 * green + 0.439 * blue)[:, ::2]
    V = (128 + 0.439 * red - 0.368 * green - 0.071 * blue)[:, ::2]
    pairs = ((U, Y[:, ::2], V, Y[:, 1::2]) if encoding in ('yuv422', 'uyvy')
             else (Y[:, ::2], U, Y[:, 1::2], V))
    return np.stack(pairs, axis=-1).round().astype(np.uint8).reshape(height, -1)


def message(rows, encoding, width=WIDTH, padding=0, big_endian=False, extra=0):
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=233)
    data = array.array('B', padded.tobytes() + bytes(extra))
    return Image(width=width, height=len(rows), encoding=encoding, step=padded.shape[1],
                 is_bigendian=int(big_endian), data=data)


@pytest.mark.parametrize('big_endian', [False, True])
@pytest.mark.parametrize(('padding', 'extra'), [(0, 0), (1, 0), (28, 5)])
@pytest.mark.parametrize('encoding', BYTES_PER_PIXEL)
def test_every_encoding_round_trips(rgb, encoding, padding, extra, big_endian):
    rows = encode(rgb, encoding, big_endian)
    decoded = decode_image(message(rows, encoding, padding=padding, big_endian=big_endian,
                                   extra=extra))
    assert decoded.dtype == np.uint8
    assert decoded.flags.c_contiguous
    if encoding in EXACT:
        assert np.array_equal(decoded, rgb)
    elif encoding in GREY:
        assert np.array_equal(decoded, np.repeat(luma(rgb)[..., None], 3, axis=2))
    else:
        inside = (slice(2, -2), slice(2, -2))
        difference = decoded[inside].astype(int) - rgb[inside].astype(int)
        # YUV shares colour between two columns, five grey levels apart.
        assert np.abs(difference).max() <= (6 if BYTES_PER_PIXEL[encoding] == 2 else 1)


def test_rgb8_is_not_copied(rgb):
    source = message(encode(rgb, 'rgb8'), 'rgb8')
    assert np.shares_memory(decode_image(source), np.frombuffer(source.data, np.uint8))


@pytest.mark.parametrize(('changes', 'text'), [
    ({'width': 0}, 'rgb8 image of 0 x 26: width and height must be > 0'),
    ({'height': 0}, 'width and height must be > 0'),
    ({'step': 107}, 'step must be at least 108 bytes, got 107'),
    ({'step': 109}, 'step x height = 109 x 26 = 2834 bytes, got 2808'),
    ({'height': 2**32 - 1, 'step': 2**32 - 1}, 'got 2808'),
    ({'encoding': 'yuv422', 'width': 35}, 'even width, got 35'),
    ({'encoding': 'bayer_rggb8', 'width': 1}, 'at least 2 x 2, got 1 x 26'),
])
def test_what_does_not_agree_is_named(rgb, changes, text):
    source = message(encode(rgb, 'rgb8'), 'rgb8')
    for name, value in changes.items():
        setattr(source, name, value)
    with pytest.raises(BadImage, match=text):
        decode_image(source)


def compressed(image, extension, text, padding=b''):
    data = cv2.imencode(extension, image, [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()
    return CompressedImage(format=text, data=array.array('B', data + padding))


def test_png_is_exact_in_all_layouts(rgb):
    bgr = rgb[..., ::-1].copy()
    alpha = np.dstack([bgr, np.full((HEIGHT, WIDTH), 9, np.uint8)])
    grey = luma(rgb)
    for image in (bgr, alpha, bgr.astype(np.uint16) * 256 + 200):
        assert np.array_equal(decode_compressed(compressed(image, '.png', 'png')), rgb)
    for image in (grey, grey.astype(np.uint16) * 256 + 200):
        decoded = decode_compressed(compressed(image, '.png', 'mono8; png compressed '))
        assert np.array_equal(decoded, np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize('text', ['jpeg', '', 'jpg', 'bgr8; jpeg compressed bgr8',
                                  'rgb8; jpeg compressed bgr8'])
def test_jpeg_colours_are_right(rgb, text):
    source = compressed(rgb[..., ::-1], '.jpg', text, padding=bytes(50))
    difference = decode_compressed(source).astype(int) - rgb
    assert np.abs(difference).mean() < 3


def test_colours_swapped_by_the_sender_are_swapped_back(rgb):
    # image_transport hands its RGB buffer to a codec that takes BGR, and says so by 'bgr' missing.
    source = compressed(rgb, '.png', 'rgb8; png compressed ')
    assert np.array_equal(decode_compressed(source), rgb)


@pytest.mark.parametrize('encoding', TILES)
def test_compressed_mosaic(rgb, encoding):
    source = compressed(encode(rgb, encoding), '.png', f'{encoding}; png compressed ')
    difference = decode_compressed(source)[2:-2, 2:-2].astype(int) - rgb[2:-2, 2:-2]
    assert np.abs(difference).max() <= 1


def test_exif_does_not_turn_the_image(rgb):
    source = compressed(rgb[..., ::-1], '.jpg', 'jpeg')
    orientation = b'\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00'
    tiff = b'MM\x00*\x00\x00\x00\x08\x00\x01' + orientation + bytes(4)
    segment = b'\xff\xe1' + (len(tiff) + 8).to_bytes(2, 'big') + b'Exif\x00\x00' + tiff
    data = source.data.tobytes()
    turned = data[:2] + segment + data[2:]
    assert cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR).shape[0] == WIDTH
    source.data = array.array('B', turned)
    assert decode_compressed(source).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize('extension', ['.jpg', '.png'])
@pytest.mark.parametrize('share', [0.02, 0.3, 0.9, 0.99])
def test_cut_off_files_are_refused(rgb, extension, share):
    source = compressed(rgb, extension, extension[1:])
    source.data = source.data[:int(share * len(source.data))]
    with pytest.raises(BadImage, match=r'is cut off|must be one of|is broken'):
        decode_compressed(source)


@pytest.mark.parametrize(('text', 'data', 'expected'), [
    ('h264', b'\x00\x00\x00\x01\x67abcdef', "'h264' must be one of jpeg, png, got 11 bytes"),
    ('jpeg', b'', "format 'jpeg' must be one of jpeg, png, got 0 bytes"),
    ('16UC1; compressedDepth png', b'x' * 20, 'is a depth image'),
    ('jpeg', b'\xff\xd8\xff\xe0 nonsense \xff\xd9', 'broken'),
    ('png', b'\x89PNG\r\n\x1a\n nonsense IEND', 'broken'),
])
def test_what_is_no_image_is_named(text, data, expected):
    with pytest.raises(BadImage, match=expected):
        decode_compressed(CompressedImage(format=text, data=array.array('B', data)))


@settings(deadline=None)
@given(st.sampled_from([*BYTES_PER_PIXEL, 'junk']), st.integers(0, 9), st.integers(0, 9),
       st.integers(0, 40), st.binary(max_size=300), st.integers(0, 255))
def test_random_messages_decode_or_say_why(encoding, width, height, step, data, endian):
    source = Image(width=width, height=height, encoding=encoding, step=step,
                   is_bigendian=endian, data=array.array('B', data))
    try:
        decoded = decode_image(source)
    except MdepthError:
        return
    assert decoded.shape == (height, width, 3)


@settings(deadline=None)
@given(st.sampled_from(['.jpg', '.png']), st.integers(0, 2**31), st.text(max_size=20))
def test_damaged_files_decode_or_say_why(extension, seed, text):
    rng = np.random.default_rng(seed)
    source = compressed(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8), extension, text)
    for position in rng.integers(0, len(source.data), 6):
        source.data[position] = int(rng.integers(256))
    try:
        decoded = decode_compressed(source)
    except MdepthError:
        return
    assert decoded.ndim == 3
    assert decoded.shape[2] == 3
