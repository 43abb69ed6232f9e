"""What the README tells people to type exists."""

import ast
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from mdepth_ros.cli.main import parse
from mdepth_ros.ros.publishers import TOPICS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / 'README.md').read_text()
COMMANDS = [line for block in re.findall(r'```bash\n(.*?)```', README, re.DOTALL)
            for line in block.splitlines() if line]


def launch_arguments():
    """The names that the launch file declares; read, since launch may not be installed."""
    for node in ast.parse((ROOT / 'launch/depth.launch.py').read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == 'ARGUMENTS':
            return {key.value for key in node.value.keys}
    raise AssertionError('no ARGUMENTS in the launch file')


def mdepth_words(command):
    """The words after `mdepth`; the program may have a path in front."""
    words = shlex.split(command)
    return words[[Path(word).name for word in words].index('mdepth') + 1:]


def test_there_are_commands():
    assert {'make demo', 'make test'} <= set(COMMANDS)


@pytest.mark.parametrize('command', [c for c in COMMANDS if c.startswith('make ')])
def test_make(command):
    # `make test` may be what runs this: the inner make must not know of it.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(('MAKE', 'MFLAGS'))}
    done = subprocess.run([*shlex.split(command), '--dry-run'], cwd=ROOT, capture_output=True,
                          text=True, check=True, env=environment)
    # The last line is what make would run; its options must be ones that the command has.
    line = done.stdout.strip().splitlines()[-1]
    if 'demo' in command:
        parsed = parse(mdepth_words(line))
        for word in shlex.split(command)[2:]:
            value = word.partition('=')[2]
            assert value in map(str, vars(parsed).values()) or float(value) == parsed.fov, word
    else:
        assert 'pytest' in shlex.split(line)


@pytest.mark.parametrize('command', [c for c in COMMANDS if 'mdepth_ros mdepth ' in c])
def test_mdepth(command):
    parse(mdepth_words(command))


@pytest.mark.parametrize('wrong', ['--bogus', '--rate fast', '--frames',
                                   '--bag b --video v'])
def test_a_wrong_option_is_found(wrong, capsys):
    with pytest.raises(SystemExit) as stopped:
        parse(mdepth_words(f'ros2 run mdepth_ros mdepth demo {wrong}'))
    assert stopped.value.code == 2
    assert 'error' in capsys.readouterr().err


@pytest.mark.parametrize('command', [c for c in COMMANDS if c.startswith('ros2 launch ')])
def test_launch(command):
    _, _, package, file, *arguments = shlex.split(command)
    assert package == 'mdepth_ros'
    assert (ROOT / 'launch' / file).is_file()
    assert {argument.split(':=')[0] for argument in arguments} <= launch_arguments()


def test_launch_arguments_are_named():
    line = re.search(r'`depth.launch.py` takes (.*?)\. Every', README, re.DOTALL)
    assert set(re.findall(r'`([a-z_]+)`', line[1])) == launch_arguments()


def test_topics_are_named():
    assert set(TOPICS) <= set(re.findall(r'`([a-z/_]+)`', README))


def test_links_lead_somewhere():
    for target in re.findall(r'\]\(([^)#]+)\)', README):
        if not target.startswith('http'):
            assert (ROOT / target).is_file(), target
