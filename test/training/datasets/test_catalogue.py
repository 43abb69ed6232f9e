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

"""What a path is, and what to do where it is nothing to train on."""

from folders import make_frames_folder
from mdepth_ros.training.datasets.catalogue import open_data
from mdepth_ros.training.datasets.sequence import DataError
import pytest


def test_frames_folders(tmp_path):
    make_frames_folder(tmp_path / 'data/a', 3)
    make_frames_folder(tmp_path / 'data/b', 2)
    assert [(s.name, len(s)) for s in open_data(tmp_path / 'data/a')] == [('a', 3)]
    assert [len(s) for s in open_data(tmp_path / 'data')] == [3, 2]
    assert [s.name for s in open_data(tmp_path / 'data', 1, 4)] == ['a[1:3]', 'b[0:1]']


def test_kitti_has_no_frame_numbers_of_its_own(tmp_path):
    (tmp_path / '2011_09_26').mkdir()
    (tmp_path / '2011_09_26/calib_cam_to_cam.txt').touch()
    with pytest.raises(DataError, match='is KITTI raw: its frames are chosen by drive'):
        open_data(tmp_path, 5)
    with pytest.raises(DataError, match='no KITTI drives'):
        open_data(tmp_path)


@pytest.mark.parametrize('name', ['run.bag', 'run.mcap', 'run.MP4', 'run/run_0.mcap',
                                  'run/run_0.db3'])
def test_recordings_are_to_be_prepared(name, tmp_path):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    path = tmp_path / name.split('/')[0]
    with pytest.raises(DataError) as error:
        open_data(path)
    assert f'run `mdepth prepare {path} --out DIR`' in str(error.value)


def test_anything_else(tmp_path):
    with pytest.raises(DataError, match='no data at'):
        open_data(tmp_path / 'missing')
    (tmp_path / 'a.png').touch()
    for path in (tmp_path, tmp_path / 'a.png'):
        with pytest.raises(DataError, match=r'is neither a folder with frames\.json'):
            open_data(path)


def test_unfinished_data(tmp_path):
    make_frames_folder(tmp_path / 'a', 3)
    (tmp_path / 'a/journal.jsonl').touch()
    with pytest.raises(DataError, match='run the same `mdepth prepare` again'):
        open_data(tmp_path / 'a')
