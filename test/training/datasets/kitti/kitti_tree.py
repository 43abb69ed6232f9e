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

"""
A tiny KITTI tree, true to the format.

The left camera is 0.25 m ahead of the lidar and 0.1 m to its left, the right one 0.5 m to the
right of that; fx = fy = 20 px, centre (20, 10) of 40 x 20. So the lidar's point (x, y, z) is at
(-y + 0.1, -z, x - 0.25) for image_02 and at (-y - 0.4, -z, x - 0.25) for image_03.
"""

import cv2
import numpy as np

DATE = '2011_09_26'
CAMERA_LINES = """calib_time: 09-Jan-2012 13:57:47
corner_dist: 9.950000e-02
R_rect_00: 1 0 0 0 1 0 0 0 1
S_02: 5.000000e+01 3.000000e+01
S_rect_02: 4.000000e+01 2.000000e+01
P_rect_02: 20 0 20 2 0 20 10 0 0 0 1 0
S_rect_03: 4.000000e+01 2.000000e+01
P_rect_03: 20 0 20 -8 0 20 10 0 0 0 1 0
"""
LIDAR_LINES = """calib_time: 15-Mar-2012 11:37:16
R: 0 -1 0 0 0 -1 1 0 0
T: 0.0 0.0 -0.25
delta_f: 0.000000e+00 0.000000e+00
"""


def make_date(root, date=DATE):
    folder = root / date
    folder.mkdir(parents=True)
    (folder / 'calib_cam_to_cam.txt').write_text(CAMERA_LINES)
    (folder / 'calib_velo_to_cam.txt').write_text(LIDAR_LINES)
    return folder


def make_drive(root, number='0002', frames=range(6), standing=(), suffix='.png', date=DATE,
               cameras=('image_02', 'image_03')):
    """Make a drive and return its folder; frame n is all of grey n, 100 + n on the right."""
    if not (root / date).is_dir():
        make_date(root, date)
    drive = root / date / f'{date}_drive_{number}_sync'
    for folder in (*(f'{camera}/data' for camera in cameras), 'velodyne_points/data', 'oxts/data'):
        (drive / folder).mkdir(parents=True)
    lines = [f'2011-09-26 13:02:{second // 10:02}.{second % 10}00000001'
             for second in range(max(frames) + 1)]
    for place, camera in enumerate(cameras):
        (drive / camera / 'timestamps.txt').write_text('\n'.join(lines) + '\n')
        for n in frames:
            grey = np.full((20, 40, 3), 100 * place + n, np.uint8)
            cv2.imwrite(str(drive / camera / f'data/{n:010}{suffix}'), grey)
    for n in frames:
        write_speed(drive, n, 0.3 if n in standing else 8.0)
        write_scan(drive, n, [[10.25 + n, 0.1, 0.0]])
    return drive


def write_scan(drive, frame, points):
    """Points (x, y, z) with a reflectance each."""
    points = np.hstack([np.array(points, '<f4'), np.full((len(points), 1), 0.5, '<f4')])
    (drive / f'velodyne_points/data/{frame:010}.bin').write_bytes(points.tobytes())


def write_speed(drive, frame, speed):
    """Thirty numbers: the car goes half left, and up and down, which does not count."""
    values = [49.015003823272, 8.4342971002335, 116.43032836914, 0.035752, 0.00903, -2.6087069,
              -6.811, -11.275, 0.8 * speed, 0.6 * speed, 3.0, *[0.1] * 12, 0.5, 0.2, 4, 10, 4, 4,
              0]
    assert len(values) == 30
    (drive / f'oxts/data/{frame:010}.txt').write_text(' '.join(map(str, values)) + '\n')
