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

"""The Eigen split as shipped, and its test frames with both kinds of truth."""

import json
from pathlib import Path

import cv2
from kitti_tree import make_drive
from mdepth_ros.training.datasets.kitti.drive_id import DriveId
from mdepth_ros.training.datasets.kitti.eigen import eigen_test, read_eigen
from mdepth_ros.training.datasets.sequence import DataError
import numpy as np
import pytest

SHIPPED = Path(__file__).resolve().parents[4] / 'training/kitti/eigen.json'
DRIVE = DriveId('2011_09_26', '0002')


@pytest.fixture
def split(tmp_path):
    """Frames 0, 2 and 5 test; 0 has no improved truth."""
    path = tmp_path / 'eigen.json'
    path.write_text(json.dumps({
        'test': {'2011_09_26/0002': [0, 2, 5]},
        'without_improved_ground_truth': ['2011_09_26/0002/0'],
        'training_drives': ['2011_09_26/0001']}))
    return path


def write_improved(root, part, frame, counts):
    folder = root / part / DRIVE.folder / 'proj_depth/groundtruth/image_02'
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f'{frame:010}.png'), counts)


def test_the_shipped_split():
    split = read_eigen(SHIPPED)
    assert len(split.test) == len(set(split.test)) == 697
    assert len(split.without_improved) == 45
    assert len({drive for drive, _ in split.test}) == 28
    assert len(split.training_drives) == 32
    # No drive is in both, and 22 test images begin their drive.
    assert not {drive for drive, _ in split.test} & set(split.training_drives)
    assert sum(number == 0 for _, number in split.test) == 22


def test_classical_truth(split, tmp_path):
    make_drive(tmp_path / 'raw', frames=[0, 1, 2, 3, 5, 6])
    tests = eigen_test(tmp_path / 'raw', split)
    assert [int(t.sequence.rgb(t.index)[0, 0, 0]) for t in tests] == [0, 2, 5]
    # Frame 5 lacks the one before it, too: its drive has a hole there.
    assert [t.index > 0 for t in tests] == [False, True, False]
    assert tests[0].sequence is tests[1].sequence
    truth = tests[1].truth()
    np.testing.assert_array_equal(np.argwhere(np.isfinite(truth)), [[9, 19]])
    assert truth[9, 19] == 12.25


def test_improved_truth(split, tmp_path):
    make_drive(tmp_path / 'raw')
    counts = np.zeros((20, 40), np.uint16)
    counts[3, 4] = 2560
    write_improved(tmp_path / 'improved', 'val', 2, counts)
    write_improved(tmp_path / 'improved', 'train', 5, counts)
    tests = eigen_test(tmp_path / 'raw', split, tmp_path / 'improved')
    assert [t.index for t in tests] == [2, 5]
    for test in tests:
        truth = test.truth()
        np.testing.assert_array_equal(np.argwhere(np.isfinite(truth)), [[3, 4]])
        assert truth[3, 4] == 10.0
    write_improved(tmp_path / 'improved', 'val', 2, counts[:10])
    with pytest.raises(DataError, match=r'0000000002\.png is 40 x 10, its camera 40 x 20'):
        tests[0].truth()


def test_what_is_missing_is_named(split, tmp_path):
    make_drive(tmp_path / 'raw')
    with pytest.raises(DataError, match=r'no improved ground truth .*0000000002\.png'):
        eigen_test(tmp_path / 'raw', split, tmp_path / 'improved')
    next((tmp_path / 'raw').rglob('image_02/data/0000000005.png')).unlink()
    with pytest.raises(DataError, match=r'needs .*image_02/data/0000000005\.png'):
        eigen_test(tmp_path / 'raw', split)


@pytest.mark.parametrize('text', ['', '[]', '{"test": {}}', '{"test": {"a": [1]}, '
                                  '"without_improved_ground_truth": [], "training_drives": []}',
                                  '{"test": {}, "without_improved_ground_truth": '
                                  '["2011_09_26/0002/0"], "training_drives": []}'])
def test_no_split(text, tmp_path):
    (tmp_path / 'eigen.json').write_text(text)
    with pytest.raises(DataError, match=r'eigen\.json'):
        read_eigen(tmp_path / 'eigen.json')
