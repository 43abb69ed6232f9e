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

import struct

from camera_messages import compressed, image, ROS2, STORES
from mdepth_ros.errors import BadImage
from mdepth_ros.messages.depth_images import decode_depth, is_depth
import numpy as np
import pytest

NAN = np.nan
METRES = np.array([[1.5, 0.0, -1.0], [np.nan, np.inf, -np.inf]], np.float32)
TRUE_METRES = np.array([[1.5, NAN, NAN], [NAN, NAN, NAN]], np.float32)
MILLIMETRES = np.array([[1500, 0, 1], [65535, 2, 3]], np.uint16)
TRUE_MILLIMETRES = np.array([[1.5, NAN, 0.001], [65.535, 0.002, 0.003]], np.float32)


def check(depth, expected):
    assert depth.dtype == np.float32
    np.testing.assert_allclose(depth, expected, rtol=1e-6)


@pytest.mark.parametrize('store', STORES.values(), ids=STORES)
def test_metres_and_millimetres(store):
    check(decode_depth(image(store, 0, METRES, '32FC1')), TRUE_METRES)
    for encoding in ('16UC1', 'mono16'):
        check(decode_depth(image(store, 0, MILLIMETRES, encoding)), TRUE_MILLIMETRES)


@pytest.mark.parametrize(('pixels', 'encoding', 'expected'), [
    (METRES, '32FC1', TRUE_METRES), (MILLIMETRES, '16UC1', TRUE_MILLIMETRES)])
def test_padding_and_byte_order(pixels, encoding, expected):
    big = pixels.astype(pixels.dtype.newbyteorder('>')).view(np.uint8).reshape(2, -1)
    padded = np.pad(big, ((0, 0), (0, 5)), constant_values=99)
    message = image(ROS2, 0, pixels, encoding)
    message.is_bigendian, message.step, message.data = 1, padded.shape[1], padded.ravel()
    check(decode_depth(message), expected)


def test_compressed_millimetres():
    for text, prefix in (('16UC1; compressedDepth png', bytes(12)),
                         ('16UC1; compressedDepth', bytes(12)),
                         ('16UC1; png compressed ', b'')):
        message = compressed(ROS2, 0, MILLIMETRES, '.png', text, prefix)
        check(decode_depth(message), TRUE_MILLIMETRES)


def test_compressed_metres_are_inverse():
    # The transport stores a / depth + b.
    a, b = 1000.0, 20.0
    stored = np.array([[0, 520, 1020]], np.uint16)
    message = compressed(ROS2, 0, stored, '.png', '32FC1; compressedDepth png',
                         struct.pack('<iff', 0, a, b))
    check(decode_depth(message), [[NAN, 2.0, 1.0]])


@pytest.mark.parametrize(('message', 'text'), [
    (image(ROS2, 0, np.zeros((2, 2, 3), np.uint8), 'rgb8'), "32FC1, 16UC1, mono16, got 'rgb8'"),
    (compressed(ROS2, 0, MILLIMETRES, '.png', '16UC1; compressedDepth rvl', bytes(3)),
     'must be one of jpeg, png'),
    (compressed(ROS2, 0, MILLIMETRES.astype(np.uint8), '.png', '16UC1; png compressed '),
     'must be a 16-bit grey PNG, got .* uint8'),
    (compressed(ROS2, 0, MILLIMETRES, '.png', '32FC1; png compressed '), 'needs compressedDepth'),
])
def test_what_is_no_depth_is_named(message, text):
    with pytest.raises(BadImage, match=text):
        decode_depth(message)


def test_is_depth():
    picture = image(ROS2, 0, np.zeros((2, 2, 3), np.uint8))
    grey = image(ROS2, 0, MILLIMETRES, 'mono16')
    assert not is_depth('/depth/color', picture)
    assert not is_depth('/cam/image', grey)
    assert is_depth('/cam/Depth/image', grey)
    assert is_depth('/a', image(ROS2, 0, METRES, '32FC1'))
    assert is_depth('/a', compressed(ROS2, 0, MILLIMETRES, '.png', '16UC1; png compressed '))
    assert not is_depth('/a', compressed(ROS2, 0, MILLIMETRES, '.png', 'png'))
