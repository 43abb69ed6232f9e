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

"""CameraInfo messages to cameras."""

from typing import Any, Protocol

from mdepth_ros.engine.camera import Camera, Matrix, resize_matrix
from mdepth_ros.errors import BadCamera
from mdepth_ros.messages.header import Header
import numpy as np


class Region(Protocol):
    """A sensor_msgs/RegionOfInterest."""

    x_offset: int
    y_offset: int
    width: int
    height: int


class CameraInfo(Protocol):
    """A sensor_msgs/CameraInfo; its matrices are ``d k r p``, or ``D K R P`` in ROS 1."""

    header: Header
    height: int
    width: int
    distortion_model: str
    binning_x: int
    binning_y: int
    roi: Region


def camera_from_info(info: CameraInfo) -> Camera:
    """
    Read the camera of the images that come with a CameraInfo.

    :param info: as published; binning and region of interest are applied, so that width and height
        are those of the image.
    :return: its camera. An R of zeros, which many drivers send, is the identity.
    :raises BadCamera: if it is not calibrated, or what is wrong with it.
    """
    try:
        return _camera_from_info(info)
    except BadCamera as error:
        raise BadCamera(f'camera_info of frame {info.header.frame_id!r}: {error}') from error


def _camera_from_info(info: CameraInfo) -> Camera:
    """Do the work, with errors that do not name the message yet."""
    K: Matrix = _matrix(info, 'k').reshape(3, 3)
    if not K.any():
        raise BadCamera('camera is not calibrated (K is all zeros); calibrate it, e.g. with '
                        'camera_calibration, or give the driver its camera file')
    P: Matrix = _matrix(info, 'p').reshape(3, 4)
    R = _matrix(info, 'r').reshape(3, 3)
    left, top, width, height = _region(info)
    binning_x, binning_y = max(info.binning_x, 1), max(info.binning_y, 1)
    if width < binning_x or height < binning_y:
        raise BadCamera(f'nothing is left of {width} x {height} pixels after binning by '
                        f'{binning_x} x {binning_y}')
    # A binned pixel is a mean of whole pixels, so centres move as in a resize. image_geometry
    # divides the principal point alone, which is a quarter of a pixel off for a binning of two.
    K = _crop_and_bin(K, left, top, binning_x, binning_y)
    if P.any():
        square = _crop_and_bin(P[:, :3], left, top, binning_x, binning_y)
        P = np.hstack([square, P[:, 3:] / [[binning_x], [binning_y], [1.0]]])
    return Camera(width // binning_x, height // binning_y, K, _matrix(info, 'd'),
                  info.distortion_model, R if R.any() else np.eye(3), P)


def _matrix(info: Any, name: str) -> Matrix:
    """Read one of the matrices, as ROS 2 or ROS 1 spells it."""
    return np.array(getattr(info, name if hasattr(info, name) else name.upper()), np.float64)


def _region(info: CameraInfo) -> tuple[int, int, int, int]:
    """Return left, top, width, height of the region of interest; all zeros is the full image."""
    roi = info.roi
    if roi.width == 0 and roi.height == 0:
        return 0, 0, info.width, info.height
    if (roi.width == 0 or roi.height == 0 or roi.x_offset + roi.width > info.width
            or roi.y_offset + roi.height > info.height):
        raise BadCamera(f'region of interest of {roi.width} x {roi.height} at ({roi.x_offset}, '
                        f'{roi.y_offset}) must lie in the image of {info.width} x {info.height}')
    return roi.x_offset, roi.y_offset, roi.width, roi.height


def _crop_and_bin(K: Matrix, left: int, top: int, binning_x: int, binning_y: int) -> Matrix:
    """Move intrinsics of the full image to those of its region, binned."""
    cropped = K.copy()
    cropped[0, 2] -= left
    cropped[1, 2] -= top
    return resize_matrix(cropped, 1.0 / binning_x, 1.0 / binning_y)
