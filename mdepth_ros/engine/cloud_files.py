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

"""Coloured points as PLY and PCD files, binary."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

CloudFormat = Literal['ply', 'pcd']

_PLY = """ply
format binary_little_endian 1.0
element vertex {count}
property float x
property float y
property float z
property uchar red
property uchar green
property uchar blue
end_header
"""
_PCD = """# .PCD v0.7 - Point Cloud Data file format
VERSION 0.7
FIELDS x y z rgb
SIZE 4 4 4 4
TYPE F F F F
COUNT 1 1 1 1
WIDTH {count}
HEIGHT 1
VIEWPOINT 0 0 0 1 0 0 0
POINTS {count}
DATA binary
"""


def cloud_file(
    points: NDArray[np.float32], rgb: NDArray[np.uint8], form: CloudFormat
) -> bytes:
    """
    Make the content of a file.

    :param points: (N, 3) float32 [m]; N may be 0.
    :param rgb: (N, 3) uint8 colours.
    :param form: PLY, or PCD as PCL has it: its rgb is the bytes b g r 0.
    :return: header and points.
    :raises ValueError: if an array differs from the ones above.
    """
    if points.ndim != 2 or points.shape[1] != 3 or points.shape != rgb.shape:
        raise ValueError(f'points and rgb must be (N, 3), got {points.shape} and {rgb.shape}')
    if form == 'ply':
        header, colours = _PLY, rgb
    else:
        header, colours = _PCD, np.insert(rgb[:, ::-1], 3, 0, axis=1)
    records = np.empty(len(points), [('xyz', '<f4', 3), ('colour', 'u1', colours.shape[1])])
    records['xyz'], records['colour'] = points, colours
    return header.format(count=len(points)).encode('ascii') + records.tobytes()
