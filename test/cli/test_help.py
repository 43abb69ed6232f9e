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

"""What every command's help says of defaults."""

from mdepth_ros.cli.main import COMMANDS, parse
import pytest

pytest.importorskip('rclpy')


@pytest.mark.parametrize('command', COMMANDS)
def test_only_defaults_that_tell_something_are_shown(command, capsys, monkeypatch):
    monkeypatch.setenv('COLUMNS', '1000')
    with pytest.raises(SystemExit) as ended:
        parse([command, '--help'])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert [text for text in ('None', '[]', 'False', '(') if f'(default: {text}' in said] == []


def test_sizes_are_shown_as_they_are_typed(capsys):
    with pytest.raises(SystemExit):
        parse(['bench', '--help'])
    assert '(default: 640x192)' in ' '.join(capsys.readouterr().out.split())
    assert parse(['bench']).size == (640, 192)
    assert parse(['robustness']).size == (320, 96)
