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

"""Arrays to the messages we publish: depth, pictures, point clouds."""

from collections.abc import Sequence
from typing import Any

from mdepth_ros.messages.depth_images import to_millimetres
from mdepth_ros.messages.points import pack_points
from mdepth_ros.ros.header import copy_of
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image, PointCloud2, PointField
from std_msgs.msg import Header

XYZ = ('x', 'y', 'z')
VALUE_BYTES = 4


def metres_image(values: NDArray[np.float32], header: Header) -> Image:
    """
    Make a 32FC1 image, of depth or of confidence.

    :param values: (H, W) float32, depth [m] with NaN and Inf as they are, or confidence.
    :param header: header of the input image, copied.
    :return: the message.
    :raises ValueError: if the array differs from the one above.
    """
    _check('values', values, np.float32, 2)
    return _image(values, '32FC1', header)


def millimetres_image(depth: NDArray[np.float32], header: Header) -> Image:
    """
    Make a 16UC1 image.

    :param depth: (H, W) float32 [m].
    :param header: header of the input image, copied.
    :return: millimetres, rounded; 0 (invalid) for NaN, Inf, negative and more than 65.535 m.
    :raises ValueError: if the array differs from the one above.
    """
    _check('depth', depth, np.float32, 2)
    return _image(to_millimetres(depth), '16UC1', header)


def bgr_image(bgr: NDArray[np.uint8], header: Header) -> Image:
    """
    Make a bgr8 image.

    :param bgr: (H, W, 3) uint8.
    :param header: header of the input image, copied.
    :return: the message.
    :raises ValueError: if the array differs from the one above.
    """
    _check('bgr', bgr, np.uint8, 3)
    if bgr.shape[2] != 3:
        raise ValueError(f'bgr must be (H, W, 3), got {bgr.shape}')
    return _image(bgr, 'bgr8', header)


def organised_cloud(
    points: NDArray[np.float32], rgb: NDArray[np.uint8], header: Header
) -> PointCloud2:
    """
    Make a cloud with one point per pixel.

    :param points: (3, H, W) float32 [m], NaN where invalid.
    :param rgb: (H, W, 3) uint8 colours.
    :param header: header of the input image, copied.
    :return: the message, H x W points of 16 bytes, not dense.
    :raises ValueError: if an array differs from the ones above.
    """
    _check('points', points, np.float32, 3)
    _check('rgb', rgb, np.uint8, 3)
    return _cloud(points, rgb, header, is_dense=False)


def dense_cloud(
    points: NDArray[np.float32], rgb: NDArray[np.uint8], header: Header
) -> PointCloud2:
    """
    Make a cloud of a list of points.

    :param points: (N, 3) float32 [m], all finite; N may be 0.
    :param rgb: (N, 3) uint8 colours.
    :param header: header of the input image, copied.
    :return: the message, 1 x N points of 16 bytes, dense.
    :raises ValueError: if an array differs from the ones above.
    """
    _check('points', points, np.float32, 2)
    _check('rgb', rgb, np.uint8, 2)
    return _cloud(np.ascontiguousarray(points.T)[:, None], rgb[None], header, is_dense=True)


def xyz_cloud(points: NDArray[np.float32], header: Header) -> PointCloud2:
    """
    Make a cloud of a list of points without colours.

    :param points: (N, 3) float32 [m], all finite; N may be 0.
    :param header: header of the input image, copied.
    :return: the message, 1 x N points of 12 bytes, dense.
    :raises ValueError: if the array differs from the one above.
    """
    _check('points', points, np.float32, 2)
    if points.shape[1] != 3:
        raise ValueError(f'points must be (N, 3), got {points.shape}')
    message = _empty_cloud(XYZ, 1, len(points), header, is_dense=True)
    message.data.frombytes(np.ascontiguousarray(points).reshape(-1).view(np.uint8).data)
    return message


def _image(pixels: NDArray[Any], encoding: str, header: Header) -> Image:
    """Fill an image message."""
    height, width = pixels.shape[:2]
    message = Image(header=copy_of(header), height=height, width=width, encoding=encoding,
                    is_bigendian=0, step=pixels[:1].nbytes)
    # The message's own array is filled in place: assigning an array to it copies it once more on
    # some distributions, and anything but an array.array is checked byte by byte on others.
    message.data.frombytes(np.ascontiguousarray(pixels).reshape(-1).view(np.uint8).data)
    return message


def _cloud(
    points: NDArray[np.float32], rgb: NDArray[np.uint8], header: Header, is_dense: bool
) -> PointCloud2:
    """Pack (3, H, W) points and (H, W, 3) colours."""
    height, width = points.shape[1:]
    if len(points) != 3 or rgb.shape != (height, width, 3):
        raise ValueError(f'points must be 3 planes and rgb have their size and 3 channels, '
                         f'got {points.shape} and {rgb.shape}')
    message = _empty_cloud((*XYZ, 'rgb'), height, width, header, is_dense)
    if points.size:
        # In place, as in _image.
        data = message.data
        data.append(0)
        data *= message.row_step * height
        pack_points(points, rgb, np.frombuffer(data, np.float32).reshape(height, width, 4))
    return message


def _empty_cloud(
    names: Sequence[str], height: int, width: int, header: Header, is_dense: bool
) -> PointCloud2:
    """Describe a cloud of float32 fields that has no data yet."""
    step = VALUE_BYTES * len(names)
    fields = [PointField(name=name, offset=VALUE_BYTES * index, datatype=PointField.FLOAT32,
                         count=1) for index, name in enumerate(names)]
    return PointCloud2(header=copy_of(header), height=height, width=width, fields=fields,
                       is_bigendian=False, point_step=step, row_step=step * width,
                       is_dense=is_dense)


def _check(name: str, values: NDArray[Any], dtype: type, ndim: int) -> None:
    """Refuse another type or number of dimensions."""
    if values.dtype != dtype or values.ndim != ndim:
        raise ValueError(f'{name} must be {ndim}-dimensional {np.dtype(dtype).name}, '
                         f'got {values.shape} {values.dtype}')
