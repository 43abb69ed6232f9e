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

"""Files that are whole or not there, whatever happens while they are written."""

from mdepth_ros.errors import MdepthError
from mdepth_ros.whole_file import whole_file, write_whole
import pytest


def write_half(path, error):
    with whole_file(path) as file:
        file.write(b'half')
        raise error


@pytest.mark.parametrize('error', [KeyboardInterrupt, RuntimeError, OSError])
def test_what_was_there_stays_and_nothing_is_left_beside_it(tmp_path, error):
    path = tmp_path / 'file'
    write_whole(path, b'before')
    with pytest.raises(error):
        write_half(path, error)
    assert path.read_bytes() == b'before'
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_writers_half_is_written_over(tmp_path):
    (tmp_path / '.file.partial').write_bytes(b'half of a longer one')
    write_whole(tmp_path / 'file', b'whole')
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b'whole']


def test_a_link_stays_one(tmp_path):
    (tmp_path / 'link').symlink_to(tmp_path / 'file')
    write_whole(tmp_path / 'link', b'new')
    assert (tmp_path / 'link').is_symlink()
    assert (tmp_path / 'file').read_bytes() == b'new'


def test_the_folder_is_made_and_what_the_disk_refuses_is_one_line(tmp_path):
    write_whole(tmp_path / 'new' / 'file', b'a')
    with pytest.raises(MdepthError, match=r'^cannot write .*below: File exists; try again$'):
        write_whole(tmp_path / 'new' / 'file' / 'below', b'a', '; try again')
