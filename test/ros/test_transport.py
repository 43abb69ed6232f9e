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

"""Which Fast DDS profile the node and its children take."""

import os
from pathlib import Path

from mdepth_ros.errors import MdepthError
from mdepth_ros.ros import transport
from mdepth_ros.ros.transport import (
    large_message_environment,
    profile_path,
    PROFILE_VARIABLES,
    use_large_messages,
)
import pytest

NAMES = tuple(PROFILE_VARIABLES.values())
SHARE = 'share/mdepth_ros/config/fastdds.xml'


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """No profile is set, and there is room."""
    for name in (*NAMES, 'AMENT_PREFIX_PATH'):
        monkeypatch.setenv(name, '')
        monkeypatch.delenv(name)
    monkeypatch.setattr(transport, 'shared_memory_suffices', lambda: True)


def profile_in(folder):
    folder.parent.mkdir(parents=True)
    folder.write_text('')
    return folder


@pytest.mark.parametrize(('module', 'profile'), [
    ('src/mdepth_ros/mdepth_ros/ros/transport.py', 'src/mdepth_ros/config/fastdds.xml'),
    ('home/.local/lib/python3.10/site-packages/mdepth_ros/ros/transport.py',
     f'home/.local/{SHARE}'),
    ('usr/local/lib/python3.10/dist-packages/mdepth_ros/ros/transport.py', f'usr/local/{SHARE}'),
    ('site/mdepth_ros/ros/transport.py', f'site/{SHARE}'),
    ('site/mdepth_ros/ros/transport.py', f'install/{SHARE}')],
    ids=['sources', 'user', 'debian', 'target', 'ament'])
def test_the_profile_is_found_wherever_it_is_installed(tmp_path, monkeypatch, module, profile):
    monkeypatch.setenv('AMENT_PREFIX_PATH', os.pathsep.join(
        [str(tmp_path / 'other'), str(tmp_path / 'install')]))
    expected = profile_in(tmp_path / profile)
    assert profile_path(tmp_path / module) == expected


def test_no_profile_is_no_reason_to_stop(tmp_path, monkeypatch, caplog):
    with pytest.raises(MdepthError, match=r'fastdds\.xml is missing'):
        profile_path(tmp_path / 'mdepth_ros/ros/transport.py')

    def missing():
        raise MdepthError('fastdds.xml is missing')

    monkeypatch.setattr(transport, 'profile_path', missing)
    assert large_message_environment() == dict(os.environ)
    assert caplog.messages == ['large messages may get lost: fastdds.xml is missing']


def test_the_shipped_profile_is_taken_unless_one_is_named(monkeypatch):
    use_large_messages()
    taken = [os.environ[name] for name in NAMES if name in os.environ]
    assert taken
    assert all(Path(path).name == 'fastdds.xml' for path in taken)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(NAMES[1], '/own.xml')
    use_large_messages()
    assert [os.environ.get(name) for name in NAMES] == [None, '/own.xml']


def test_an_empty_name_stands_for_no_profile(monkeypatch):
    for name in NAMES:
        monkeypatch.setenv(name, '')
    # A child takes it for the same.
    assert [large_message_environment()[name] for name in NAMES] == ['', '']
    use_large_messages()
    assert not set(NAMES) & os.environ.keys()
