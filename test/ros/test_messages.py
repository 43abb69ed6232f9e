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
import importlib.util
import math

from mdepth_ros.messages.images import decode_image
from mdepth_ros.ros.messages import (
    bgr_image,
    dense_cloud,
    metres_image,
    millimetres_image,
    organised_cloud,
    xyz_cloud,
)
import numpy as np
import pytest
from std_msgs.msg import Header

POINT = np.dtype([('x', '<f4'), ('y', '<f4'), ('z', '<f4'), ('b', 'u1'), ('g', 'u1'), ('r', 'u1'),
                  ('zero', 'u1')])
FLOAT32 = 7  # sensor_msgs/PointField


@pytest.fixture
def header():
    header = Header(frame_id='camera_optical')
    header.stamp.sec, header.stamp.nanosec = 2_000_000_000, 999_999_999
    return header


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def pixels(message, dtype):
    assert isinstance(message.data, array.array)
    assert len(message.data) == message.step * message.height
    return np.frombuffer(message.data, dtype).reshape(message.height, -1)


def test_metres_keep_every_bit(header, rng):
    depth = rng.standard_normal((5, 7)).astype(np.float32)
    depth[0, :3] = np.nan, np.inf, -np.inf
    message = metres_image(depth, header)
    assert (message.encoding, message.step, message.is_bigendian) == ('32FC1', 28, 0)
    assert (message.width, message.height) == (7, 5)
    assert np.array_equal(pixels(message, '<f4'), depth, equal_nan=True)


@pytest.mark.parametrize(('metres', 'millimetres'), [
    (1.0, 1000), (0.0014, 1), (0.0016, 2), (0.0, 0), (-1.0, 0), (math.nan, 0), (math.inf, 0),
    (-math.inf, 0), (65.535, 65535), (65.536, 0), (100.0, 0), (1e38, 0), (32.768, 32768),
])
def test_millimetres_round_and_never_saturate(header, metres, millimetres):
    message = millimetres_image(np.full((2, 3), metres, np.float32), header)
    assert (message.encoding, message.step) == ('16UC1', 6)
    assert (pixels(message, '<u2') == millimetres).all()


def test_every_millimetre_survives(header):
    expected = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    message = millimetres_image((expected / 1000).astype(np.float32), header)
    assert np.array_equal(pixels(message, '<u2'), expected)


def test_bgr_is_decoded_as_it_was(header, rng):
    bgr = rng.integers(0, 256, (6, 10, 3), dtype=np.uint8)
    message = bgr_image(bgr, header)
    assert np.array_equal(decode_image(message), bgr[..., ::-1])
    # A view that is not contiguous, e.g. of a flipped image.
    assert np.array_equal(decode_image(bgr_image(bgr[::-1, ::2], header)), bgr[::-1, ::2, ::-1])


def test_organised_cloud_reads_back(header, rng):
    points = rng.standard_normal((3, 4, 9)).astype(np.float32)
    points[:, 1, 2] = np.nan
    rgb = rng.integers(0, 256, (4, 9, 3), dtype=np.uint8)
    message = organised_cloud(points, rgb, header)
    assert (message.height, message.width, message.is_dense) == (4, 9, False)
    assert (message.point_step, message.row_step, message.is_bigendian) == (16, 144, False)
    assert [(field.name, field.offset, field.datatype, field.count) for field in message.fields
            ] == [('x', 0, FLOAT32, 1), ('y', 4, FLOAT32, 1), ('z', 8, FLOAT32, 1),
                  ('rgb', 12, FLOAT32, 1)]
    assert isinstance(message.data, array.array)
    read = np.frombuffer(message.data, POINT).reshape(4, 9)
    assert np.array_equal(np.stack([read[name] for name in 'xyz']), points, equal_nan=True)
    assert np.array_equal(np.stack([read[name] for name in 'rgb'], axis=-1), rgb)
    assert not read['zero'].any()
    # PCL: the colour is 0x00rrggbb of the float's bits.
    packed = np.frombuffer(message.data, '<u4')[3::4]
    assert packed[5] == (int(rgb[0, 5, 0]) << 16) | (int(rgb[0, 5, 1]) << 8) | int(rgb[0, 5, 2])


@pytest.mark.parametrize('n', [0, 1, 1000])
def test_dense_cloud_reads_back(header, rng, n):
    points = rng.standard_normal((n, 3)).astype(np.float32)
    rgb = rng.integers(0, 256, (n, 3), dtype=np.uint8)
    message = dense_cloud(points, rgb, header)
    assert (message.height, message.width, message.is_dense) == (1, n, True)
    assert len(message.data) == message.row_step == 16 * n
    read = np.frombuffer(message.data, POINT)
    assert np.array_equal(np.stack([read[name] for name in 'xyz'], axis=-1), points)
    assert np.array_equal(np.stack([read[name] for name in 'rgb'], axis=-1), rgb)


@pytest.mark.parametrize('n', [0, 1, 1000])
def test_cloud_without_colours_reads_back(header, rng, n):
    points = rng.standard_normal((3, n)).astype(np.float32).T  # not contiguous
    message = xyz_cloud(points, header)
    assert (message.height, message.width, message.is_dense) == (1, n, True)
    assert [(field.name, field.offset, field.datatype) for field in message.fields] == [
        ('x', 0, FLOAT32), ('y', 4, FLOAT32), ('z', 8, FLOAT32)]
    assert message.point_step == 12
    assert len(message.data) == message.row_step == 12 * n
    assert np.array_equal(np.frombuffer(message.data, np.float32).reshape(n, 3), points)
    assert message.header == header
    with pytest.raises(ValueError, match=r'points must be \(N, 3\), got \(1, 2\)'):
        xyz_cloud(np.zeros((1, 2), np.float32), header)


def test_strided_inputs_are_packed_right(header, rng):
    planes = rng.standard_normal((4, 9, 3)).astype(np.float32).transpose(2, 0, 1)
    rgb = rng.integers(0, 256, (8, 9, 3), dtype=np.uint8)[::-2]
    message = organised_cloud(planes, rgb, header)
    read = np.frombuffer(message.data, POINT).reshape(4, 9)
    assert np.array_equal(read['y'], planes[1])
    assert np.array_equal(read['g'], rgb[..., 1])


@pytest.mark.skipif(importlib.util.find_spec('sensor_msgs_py') is None,
                    reason='sensor_msgs_py comes with a ROS installation only')
def test_sensor_msgs_py_reads_the_cloud(header, rng):
    from sensor_msgs_py import point_cloud2

    points = rng.standard_normal((3, 4, 9)).astype(np.float32)
    message = organised_cloud(points, np.zeros((4, 9, 3), np.uint8), header)
    read = point_cloud2.read_points_numpy(message, field_names=('x', 'y', 'z'))
    assert np.array_equal(read.reshape(4, 9, 3), points.transpose(1, 2, 0))


def test_headers_are_equal_copies(header):
    depth, rgb = np.ones((2, 2), np.float32), np.zeros((2, 2, 3), np.uint8)
    points = np.zeros((3, 2, 2), np.float32)
    for message in (metres_image(depth, header), millimetres_image(depth, header),
                    bgr_image(rgb, header), organised_cloud(points, rgb, header),
                    dense_cloud(points[:, 0].T, rgb[0], header)):
        assert message.header == header
        assert message.header is not header
        assert message.header.stamp is not header.stamp


def test_messages_do_not_follow_later_changes(header):
    depth = np.ones((2, 2), np.float32)
    message = metres_image(depth, header)
    depth[:] = 5.0
    assert (pixels(message, '<f4') == 1.0).all()


@pytest.mark.parametrize(('make', 'arguments'), [
    (metres_image, [np.zeros((2, 2))]), (metres_image, [np.zeros((2, 2, 1), np.float32)]),
    (millimetres_image, [np.zeros((2, 2), np.uint16)]), (bgr_image, [np.zeros((2, 2), np.uint8)]),
    (bgr_image, [np.zeros((2, 2, 4), np.uint8)]),
    (organised_cloud, [np.zeros((3, 2, 2)), np.zeros((2, 2, 3), np.uint8)]),
    (organised_cloud, [np.zeros((3, 2, 2), np.float32), np.zeros((2, 3, 3), np.uint8)]),
    (dense_cloud, [np.zeros((2, 4), np.float32), np.zeros((2, 4), np.uint8)]),
])
def test_other_arrays_are_refused(header, make, arguments):
    with pytest.raises(ValueError, match=r'must be .*, got'):
        make(*arguments, header)
