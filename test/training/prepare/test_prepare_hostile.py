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

"""Recordings that would make prepare write elsewhere, or take all the memory."""

import shutil

from mdepth_ros.engine.camera import Camera
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.prepare.options import PrepareOptions
from mdepth_ros.training.prepare.prepare import prepare
import pytest
from recordings import CAMERA, frame, write


@pytest.mark.parametrize('stem', ['..', '.', 'journal.jsonl', 'prepare.json'])
def test_no_name_leads_out_of_the_folder(tmp_path, stem):
    bag = write(tmp_path, [m for n in range(3) for m in frame(n)])
    source = tmp_path / 'in' / f'{stem}.mcap'
    source.parent.mkdir()
    shutil.copy(next(bag.glob('*.mcap')), source)
    assert source.stem == stem
    work = tmp_path / 'work'
    report = prepare([source], work / 'out', PrepareOptions(), progress=False)
    assert report.sources[0].folder == f'{stem}-2'
    assert [path.name for path in work.iterdir()] == ['out']
    assert {path.name for path in (work / 'out').iterdir()} == {f'{stem}-2', 'prepare.json'}
    assert (work / 'out' / f'{stem}-2/000/frames.json').is_file()


def test_what_is_removed_lies_in_the_folder(tmp_path):
    # Of one image nothing is left, and the recording's folder is removed: once that was `out/..`.
    bag = write(tmp_path, frame(0))
    source = tmp_path / '...mcap'
    shutil.copy(next(bag.glob('*.mcap')), source)
    precious = tmp_path / 'work/precious'
    precious.mkdir(parents=True)
    with pytest.raises(MdepthError, match='nothing is left'):
        prepare([source], tmp_path / 'work/out', PrepareOptions(), progress=False)
    assert precious.is_dir()


def test_a_camera_of_absurd_size_takes_no_memory(tmp_path):
    huge = Camera(2**32 - 1, 2**32 - 1, CAMERA.K)
    bag = write(tmp_path, [m for n in range(3) for m in frame(n, camera=huge)])
    with pytest.raises(MdepthError, match='image is 160 x 96, its camera info for 4294967295 x'):
        prepare([bag], tmp_path / 'out', PrepareOptions(width=0), progress=False)
