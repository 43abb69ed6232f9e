"""What every command's help says of defaults."""

import pytest

from mdepth_ros.cli.main import COMMANDS, parse

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
