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

from mdepth_ros.engine.cloud_files import cloud_file
import numpy as np
import pytest

POINTS = np.array([[1.5, -2.0, 3.25], [0.1, 0.2, 0.3]], np.float32)
RGB = np.array([[255, 2, 3], [0, 128, 7]], np.uint8)


def test_ply_byte_by_byte():
    header, _, body = cloud_file(POINTS, RGB, 'ply').partition(b'end_header\n')
    lines = header.decode().splitlines()
    assert lines[:3] == ['ply', 'format binary_little_endian 1.0', 'element vertex 2']
    assert lines[3:] == [*(f'property float {name}' for name in 'xyz'),
                         *(f'property uchar {name}' for name in ('red', 'green', 'blue'))]
    assert body == struct.pack('<fffBBB', *POINTS[0], *RGB[0]) + struct.pack(
        '<fffBBB', *POINTS[1], *RGB[1])


def test_pcd_byte_by_byte():
    header, _, body = cloud_file(POINTS, RGB, 'pcd').partition(b'DATA binary\n')
    entries = dict(line.split(' ', 1) for line in header.decode().splitlines()[1:])
    assert (entries['FIELDS'], entries['SIZE'], entries['TYPE']) == (
        'x y z rgb', '4 4 4 4', 'F F F F')
    assert (entries['WIDTH'], entries['HEIGHT'], entries['POINTS']) == ('2', '1', '2')
    # PCL: the integer r << 16 | g << 8 | b in the bits of the float.
    colours = [r << 16 | g << 8 | b for r, g, b in RGB.astype(int).tolist()]
    assert body == b''.join(struct.pack('<fffI', *p, c) for p, c in zip(POINTS, colours))


@pytest.mark.parametrize(('form', 'count'), [('ply', b'element vertex 0'), ('pcd', b'POINTS 0')])
def test_no_points_are_a_file_too(form, count):
    content = cloud_file(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8), form)
    assert count in content
    assert content.endswith(b'end_header\n' if form == 'ply' else b'DATA binary\n')


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r'must be \(N, 3\), got \(2, 3\) and \(1, 3\)'):
        cloud_file(POINTS, RGB[:1], 'ply')
