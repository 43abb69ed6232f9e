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

"""Folders and files that commands fill: of their own, and known to be writable before."""

from pathlib import Path

from mdepth_ros.cli.json_file import make_place
from mdepth_ros.cli.out_folder import fresh_folder, source_name
from mdepth_ros.errors import MdepthError
import pytest


def test_a_folder_that_nobody_chose_belongs_to_one_source(tmp_path):
    out = tmp_path / 'out'
    fresh_folder(out, 'predict', ['depth'], '/day1/cam.mp4')
    (out / 'depth').mkdir()
    with pytest.raises(MdepthError, match=r'holds what a predict made of /day1/cam\.mp4'):
        fresh_folder(out, 'predict', ['depth'], '/day2/cam.mp4')
    assert (out / 'depth').is_dir()
    fresh_folder(out, 'predict', ['depth'], '/day1/cam.mp4')
    assert not (out / 'depth').exists()
    fresh_folder(out, 'predict', ['depth'])  # somebody chose it


def test_a_source_names_its_folder(tmp_path):
    folder = tmp_path / 'run_2024.05.01'
    folder.mkdir()
    assert source_name(str(folder)) == 'run_2024.05.01'
    assert source_name(str(folder / '..' / 'run.mcap')) == 'run'
    assert source_name('0') == '0'


def test_a_place_that_takes_no_files_is_known_before_the_long_part(tmp_path):
    make_place(None)
    make_place(tmp_path / 'new' / 'numbers.json')
    assert not list((tmp_path / 'new').iterdir())
    with pytest.raises(MdepthError, match='cannot write /proc: '):
        make_place(Path('/proc/numbers.json'))
