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

"""Drives as sequences: every neighbour is a true neighbour, and what is missing is named."""

import cv2
from kitti_tree import make_drive, write_scan, write_speed
from mdepth_ros.training.datasets.catalogue import open_data
from mdepth_ros.training.datasets.kitti.drive_id import DriveId, parse_drive
from mdepth_ros.training.datasets.kitti.oxts import read_speed
from mdepth_ros.training.datasets.kitti.raw import find_drives, open_kitti, open_kitti_list
from mdepth_ros.training.datasets.sequence import DataError
from mdepth_ros.training.loop.open_samples import open_samples
from mdepth_ros.training.loop.recipe import DataConfig, Devices, Recipe
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.loop.trainer import make_fabric
import numpy as np
import pytest


def greys(sequence):
    """Return the grey of each frame: its number, 100 more on the right."""
    return [int(sequence.rgb(n)[0, 0, 0]) for n in range(len(sequence))]


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_a_whole_drive(suffix, tmp_path):
    make_drive(tmp_path, suffix=suffix)
    left, right = open_kitti(tmp_path)
    assert greys(left) == [0, 1, 2, 3, 4, 5]
    assert greys(right) == [100, 101, 102, 103, 104, 105]
    assert left.name == '2011_09_26/0002/image_02[0:6]'
    assert left.rgb(0).shape == (20, 40, 3)
    assert [left.stamp_ns(n) - left.stamp_ns(0) for n in range(3)] == [0, 10**8, 2 * 10**8]
    # 2011-09-26 13:02:00.000000001 UTC, by `date -u +%s`.
    assert left.stamp_ns(0) == 1317042120 * 10**9 + 1
    np.testing.assert_array_equal(np.argwhere(np.isfinite(left.depth(2))), [[10, 20]])
    assert left.depth(2)[10, 20] == 12.0
    assert left.T_world_camera(0) is None
    with pytest.raises(IndexError):
        left.rgb(-1)


def test_a_missing_frame_splits(tmp_path):
    make_drive(tmp_path, frames=[0, 1, 2, 4, 5, 6, 9])
    runs = [greys(run) for run in open_kitti(tmp_path, cameras=['image_02'], drop_static=False)]
    assert runs == [[0, 1, 2], [4, 5, 6], [9]]


def test_frames_without_motion_are_left_out(tmp_path):
    drive = make_drive(tmp_path, frames=range(12), standing=[3, 4, 7])
    assert read_speed(drive / 'oxts/data/0000000000.txt') == pytest.approx(8.0)
    sequences = open_kitti(tmp_path)
    # 5 and 6 alone are too short to train on.
    assert [greys(s) for s in sequences] == [
        [0, 1, 2], [8, 9, 10, 11], [100, 101, 102], [108, 109, 110, 111]]
    assert sequences[1].stamp_ns(0) - sequences[0].stamp_ns(0) == 8 * 10**8
    assert sum(map(len, open_kitti(tmp_path, drop_static=False))) == 24
    for frame in range(12):
        write_speed(drive, frame, 0.0)
    with pytest.raises(DataError, match='no drive with 3 frames in a row that move'):
        open_kitti(tmp_path)


def test_drives_are_chosen_or_found(tmp_path):
    make_drive(tmp_path, '0009')
    make_drive(tmp_path, '0002')
    make_drive(tmp_path, '0001', date='2011_09_28')
    drives = [DriveId('2011_09_26', '0002'), DriveId('2011_09_26', '0009'),
              DriveId('2011_09_28', '0001')]
    assert find_drives(tmp_path) == drives
    assert len(open_kitti(tmp_path)) == len(open_data(tmp_path)) == 6
    (only,) = open_kitti(tmp_path, drives[1:2], ['image_03'])
    assert only.name == '2011_09_26/0009/image_03[0:6]'


def test_names_of_drives():
    for text in ('2011_09_26/0002', '2011_09_26_drive_0002_sync',
                 '2011_09_26/2011_09_26_drive_0002_sync'):
        assert parse_drive(text) == DriveId('2011_09_26', '0002')
    assert DriveId('2011_09_26', '0002').folder == '2011_09_26_drive_0002_sync'
    for text in ('0002', '2011_09_28/2011_09_26_drive_0002_sync', '2011_09_26_drive_0002_extract'):
        with pytest.raises(DataError, match='is named like'):
            parse_drive(text)


def test_an_exact_list(tmp_path):
    make_drive(tmp_path / 'raw', frames=range(12))
    split = tmp_path / 'train.txt'
    folder = '2011_09_26/2011_09_26_drive_0002_sync'
    split.write_text(f'{folder} 3 l\n{folder} 0000000009 r\n{folder} 5 l\n\n{folder} 10 l\n')
    sequences = open_kitti_list(tmp_path / 'raw', split)
    assert [greys(s) for s in sequences] == [[2, 3, 4, 5, 6], [9, 10, 11], [108, 109, 110]]
    targets = [[s.numbers[t] for t in s.targets] for s in sequences]
    assert targets == [[3, 5], [10], [9]]
    split.write_text(f'{folder} 3 l\n{folder} 12 l\n')
    with pytest.raises(DataError, match=r'train\.txt lists 1 frames .* the first is 0000000012'):
        open_kitti_list(tmp_path / 'raw', split)


def test_a_list_that_leaves_nothing_to_train_on(tmp_path):
    make_drive(tmp_path / 'raw', frames=range(4))
    split = tmp_path / 'train.txt'
    recipe = Recipe(DataConfig(str(tmp_path / 'raw'), split=str(split), gap=1), batch=1,
                    teacher=Schedule(1))
    fabric = make_fabric(Devices('cpu', 1), 1)
    fabric.launch()
    folder = '2011_09_26/2011_09_26_drive_0002_sync'
    split.write_text(f'{folder} 0 l\n{folder} 2 l\n{folder} 3 l\n')
    assert open_samples(recipe, fabric, tmp_path).samples_per_epoch == 1
    # The ends of a drive: only the frames between them, which are not named, have neighbours.
    split.write_text(f'{folder} 0 l\n{folder} 3 l\n')
    with pytest.raises(DataError, match=r'no frame that .*train\.txt names has neighbours'):
        open_samples(recipe, fabric, tmp_path)


@pytest.mark.parametrize(('text', 'message'), [
    ('', 'lists no frames'),
    ('2011_09_26_drive_0002_sync 3', 'line 1 must be a drive folder, a frame number and l or r'),
    ('\n2011_09_26_drive_0002_sync 3 x', 'line 2 must be'),
    ('2011_09_26_drive_0002_sync -3 l', 'line 1 must be'),
    ('drive_0002 3 l', 'line 1: a KITTI drive is named like'),
])
def test_a_wrong_line_of_a_list_is_named(text, message, tmp_path):
    (tmp_path / 'train.txt').write_text(text)
    with pytest.raises(DataError, match=message):
        open_kitti_list(tmp_path, tmp_path / 'train.txt')


def test_broken_data_is_named(tmp_path):
    drive = make_drive(tmp_path)
    left, _ = open_kitti(tmp_path)
    image = drive / 'image_02/data/0000000001.png'
    image.write_bytes(image.read_bytes()[:-9])
    with pytest.raises(DataError, match=f'{image} is cut off'):
        left.rgb(1)
    cv2.imwrite(str(drive / 'image_02/data/0000000002.png'), np.zeros((10, 40, 3), np.uint8))
    with pytest.raises(DataError, match=r'0000000002\.png is 40 x 10, its camera 40 x 20'):
        left.rgb(2)
    (drive / 'velodyne_points/data/0000000003.bin').unlink()
    assert left.depth(3) is None
    with pytest.raises(DataError, match=r'0000000003\.bin'):
        left.eigen_depth(3)
    (drive / 'oxts/data/0000000004.txt').write_text('1 2 3')
    with pytest.raises(DataError, match=r'0000000004\.txt must hold 30 finite numbers, got 3'):
        open_kitti(tmp_path)
    assert len(open_kitti(tmp_path, drop_static=False)) == 2


@pytest.mark.parametrize(('edit', 'message'), [
    (lambda lines: lines[:5], 'must have a line for frame 5, got 5 lines'),
    (lambda lines: [*lines[:2], '', *lines[3:]], 'line 3 must be like'),
    (lambda lines: [*lines[:2], lines[1], *lines[3:]], 'line 3 must be later'),
    (lambda lines: [*lines[:2], '2011-13-26 13:02:00.2', *lines[3:]], 'line 3: '),
])
def test_time_stamps_are_checked(edit, message, tmp_path):
    path = make_drive(tmp_path) / 'image_02/timestamps.txt'
    path.write_text('\n'.join(edit(path.read_text().splitlines())))
    with pytest.raises(DataError) as error:
        open_kitti(tmp_path)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)


def test_a_lost_scan_or_an_empty_stamp_beside_the_frames_does_not_matter(tmp_path):
    drive = make_drive(tmp_path, frames=[0, 1, 2, 4, 5, 6])
    write_scan(drive, 3, [[1, 0, 0]])
    path = drive / 'image_02/timestamps.txt'
    lines = path.read_text().splitlines()
    path.write_text('\n'.join([*lines[:3], '', *lines[4:]]))
    assert len(open_kitti(tmp_path, cameras=['image_02'])) == 2


def test_no_images(tmp_path):
    make_drive(tmp_path, cameras=['image_02'])
    with pytest.raises(DataError, match=r'no KITTI images .*0002_sync/image_03/data'):
        open_kitti(tmp_path)
    with pytest.raises(DataError, match='no KITTI drives like'):
        open_kitti(tmp_path / '2011_09_26')
