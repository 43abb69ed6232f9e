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

"""KITTI's calibration files of a date: the rectified cameras, and where the lidar is."""

from dataclasses import dataclass
from pathlib import Path

from mdepth_ros.engine.camera import Camera
from mdepth_ros.errors import BadCamera
from mdepth_ros.training.datasets.sequence import DataError
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

CAMERA_FILE = 'calib_cam_to_cam.txt'
LIDAR_FILE = 'calib_velo_to_cam.txt'


@dataclass(frozen=True, eq=False)
class KittiCalibration:
    """
    A rectified camera, and the lidar's pose in it.

    ``T_camera_velodyne`` (4, 4) maps the lidar's points (x forward, y left, z up) [m] into the
    camera's optical frame; it contains the camera's own place on the stereo rig.
    """

    camera: Camera
    T_camera_velodyne: Matrix


def read_camera(date_folder: Path, camera: str) -> Camera:
    """
    Read one rectified camera of a date.

    :param date_folder: with ``calib_cam_to_cam.txt``.
    :param camera: such as ``image_02``.
    :raises DataError: naming the file, and the key where one is missing or wrong.
    """
    path = date_folder / CAMERA_FILE
    P, (width, height) = _rectified(_read_lines(path), path, camera)
    try:
        return Camera(round(width), round(height), P[:, :3])
    except BadCamera as error:
        raise DataError(f'{path}: {camera}: {error}') from error


def read_calibration(date_folder: Path, camera: str) -> KittiCalibration:
    """
    Read a rectified camera and the lidar's pose in it.

    :param date_folder: with ``calib_cam_to_cam.txt`` and ``calib_velo_to_cam.txt``.
    :param camera: such as ``image_02``.
    :raises DataError: naming the file, and the key where one is missing or wrong.
    """
    rectified = read_camera(date_folder, camera)
    path, lidar_path = date_folder / CAMERA_FILE, date_folder / LIDAR_FILE
    lines, lidar_lines = _read_lines(path), _read_lines(lidar_path)
    P, _ = _rectified(lines, path, camera)
    # P = K [I | t]: t is where the rig's first camera is, seen from this one.
    T_camera_first = np.eye(4)
    T_camera_first[:3, 3] = np.linalg.solve(P[:, :3], P[:, 3])
    T_first_rectified = np.eye(4)
    T_first_rectified[:3, :3] = _values(lines, path, 'R_rect_00', 9).reshape(3, 3)
    T_raw_velodyne = np.eye(4)
    T_raw_velodyne[:3, :3] = _values(lidar_lines, lidar_path, 'R', 9).reshape(3, 3)
    T_raw_velodyne[:3, 3] = _values(lidar_lines, lidar_path, 'T', 3)
    return KittiCalibration(rectified, T_camera_first @ T_first_rectified @ T_raw_velodyne)


def _rectified(lines: dict[str, str], path: Path, camera: str) -> tuple[Matrix, Matrix]:
    """Projection (3, 4) and size (2,) of a rectified camera [px]."""
    number = camera.removeprefix('image_')
    return (_values(lines, path, f'P_rect_{number}', 12).reshape(3, 4),
            _values(lines, path, f'S_rect_{number}', 2))


def _read_lines(path: Path) -> dict[str, str]:
    """Read the lines ``key: values`` of a calibration file."""
    try:
        lines = path.read_text(encoding='ascii').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'{path} is not readable: {error}') from error
    return {key: values for key, _, values in (line.partition(':') for line in lines)}


def _values(lines: dict[str, str], path: Path, key: str, count: int) -> Matrix:
    """Numbers of one line."""
    if key not in lines:
        raise DataError(f'{path} has no line {key}')
    try:
        values = np.array(lines[key].split(), np.float64)
    except ValueError as error:
        raise DataError(f'{path}: {key}: {error}') from error
    if values.size != count or not np.isfinite(values).all():
        raise DataError(f'{path}: {key} must have {count} finite numbers, got {lines[key]!r}')
    return values
