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

"""Depth images from lidar scans: the classical Eigen ground truth, and depth along the camera."""

from pathlib import Path

from mdepth_ros.training.datasets.kitti.calibration import KittiCalibration
from mdepth_ros.training.datasets.sequence import DataError
import numpy as np
from numpy.typing import NDArray

BYTES_PER_POINT = 16  # x, y, z [m] and reflectance as float32


def read_scan(path: Path) -> NDArray[np.float32]:
    """
    Read a scan.

    :param path: ``velodyne_points/data/*.bin``.
    :return: (N, 3) points in the lidar's frame, x forward, y left, z up [m].
    :raises DataError: naming the file, if it is missing, empty or cut off.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f'{path} is not readable: {error.strerror}') from error
    if not data or len(data) % BYTES_PER_POINT:
        raise DataError(f'{path} must hold points of {BYTES_PER_POINT} bytes, '
                        f'got {len(data)} bytes')
    return np.frombuffer(data, '<f4').reshape(-1, 4)[:, :3]


def eigen_depth(
    points: NDArray[np.float32], calibration: KittiCalibration
) -> NDArray[np.float32]:
    """
    Project a scan as the ground truth of the Eigen test set does, which all papers report on.

    It is not quite depth: the value is the lidar's forward distance, that is about 0.27 m more
    than the depth along the camera's axis, and pixels are counted from 1, as Matlab does. Kept, so
    that numbers can be compared.

    :param points: (N, 3) in the lidar's frame [m].
    :param calibration: of the camera.
    :return: (H, W) lidar x [m] of the nearest point in each pixel, NaN where there is none.
    """
    u, v, z = _project(points, calibration)
    ahead = (points[:, 0] > 0.0) & (z > 0.0)
    return _nearest(np.rint(u[ahead]) - 1, np.rint(v[ahead]) - 1, points[ahead, 0], calibration)


def camera_depth(
    points: NDArray[np.float32], calibration: KittiCalibration
) -> NDArray[np.float32]:
    """
    Project a scan to depth along the camera's axis, integer coordinates being pixel centres.

    :param points: (N, 3) in the lidar's frame [m].
    :param calibration: of the camera.
    :return: (H, W) depth [m] of the nearest point in each pixel, NaN where there is none.
    """
    u, v, z = _project(points, calibration)
    ahead = z > 0.0
    return _nearest(np.floor(u[ahead] + 0.5), np.floor(v[ahead] + 0.5), z[ahead], calibration)


def _project(
    points: NDArray[np.float32], calibration: KittiCalibration
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Pixel coordinates and camera depth (N,); what is behind is mirrored, what is beside NaN."""
    T = calibration.T_camera_velodyne
    u, v, z = calibration.camera.K @ (T[:3, :3] @ points.T.astype(np.float64) + T[:3, 3:])
    with np.errstate(divide='ignore', invalid='ignore'):
        return u / z, v / z, z


def _nearest(
    u: NDArray[np.float64], v: NDArray[np.float64], depth: NDArray[np.floating],
    calibration: KittiCalibration,
) -> NDArray[np.float32]:
    """Image of the smallest depth in each pixel, of whole coordinates (n,)."""
    width, height = calibration.camera.width, calibration.camera.height
    inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
    image = np.full((height, width), np.inf, np.float32)
    np.minimum.at(image, (v[inside].astype(int), u[inside].astype(int)),
                  depth[inside].astype(np.float32))
    image[np.isinf(image)] = np.nan
    return image
