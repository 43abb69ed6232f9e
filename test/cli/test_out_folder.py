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

import errno
import fcntl
from pathlib import Path

from mdepth_ros.cli.json_file import make_place
from mdepth_ros.cli.main import main
from mdepth_ros.cli.out_folder import fresh_folder, source_name
from mdepth_ros.errors import MdepthError
import pytest


def fill(out, source, chosen):
    """Begin and end a run."""
    fresh_folder(out, 'predict', ['depth'], source, chosen).close()
    (out / 'depth').mkdir()


@pytest.mark.parametrize('chosen', [False, True])
def test_a_folder_that_nobody_chose_belongs_to_one_source(tmp_path, chosen):
    out = tmp_path / 'out'
    fill(out, '/day1/cam.mp4', chosen)
    with pytest.raises(MdepthError, match=r'holds what a predict made of /day1/cam\.mp4'):
        fill(out, '/day2/cam.mp4', chosen=False)
    assert (out / 'depth').is_dir()
    fill(out, '/day1/cam.mp4', chosen=False)
    fill(out, '/day2/cam.mp4', chosen=True)


def test_two_runs_do_not_share_a_folder(tmp_path):
    with fresh_folder(tmp_path, 'predict', ['depth']):
        (tmp_path / 'depth').mkdir()
        with pytest.raises(MdepthError, match=f'another predict is writing to {tmp_path}'):
            fresh_folder(tmp_path, 'predict', ['depth'])
        assert (tmp_path / 'depth').is_dir()
    fill(tmp_path, '', chosen=True)


def test_a_disk_without_locks_takes_results_all_the_same(tmp_path, monkeypatch):
    def no_locks(file, operation):
        raise OSError(errno.ENOLCK, 'No locks available')

    monkeypatch.setattr(fcntl, 'flock', no_locks)
    fill(tmp_path, '', chosen=True)
    assert (tmp_path / 'depth').is_dir()


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


def test_what_may_not_be_read_is_one_line(monkeypatch, capsys):
    def refuse(arguments):
        raise PermissionError(13, 'Permission denied', '/mine/run.mcap')
    monkeypatch.setattr('mdepth_ros.cli.doctor.run', refuse)
    assert main(['doctor']) == 1
    assert capsys.readouterr().err == 'mdepth: error: /mine/run.mcap: Permission denied\n'
