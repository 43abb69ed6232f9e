"""What the README tells people to type exists, and what the training guide does, too."""

import ast
import json
import os
import re
import shlex
import subprocess
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
import yaml

from mdepth_ros.cli.main import parse
from mdepth_ros.engine.frames import Mode
from mdepth_ros.errors import MdepthError
from mdepth_ros.ros.publishers import TOPICS
from mdepth_ros.training.datasets.frames_check import FILE_KEYS, FRAME_KEYS, find_problems
from mdepth_ros.training.evaluation.report import json_report
from mdepth_ros.training.evaluation.scores import FrameScore
from mdepth_ros.training.evaluation.summary import summarise
from mdepth_ros.training.loop.recipe import DataConfig, Recipe, load_recipe
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.prepare import source_image

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / 'README.md').read_text()
GUIDE = (ROOT / 'training/README.md').read_text()


def commands_of(text):
    """The lines of the bash blocks."""
    return [line for block in re.findall(r'```bash\n(.*?)```', text, re.DOTALL)
            for line in block.splitlines() if line]


COMMANDS = commands_of(README)
MDEPTH = [line for line in COMMANDS + commands_of(GUIDE) if 'mdepth' in shlex.split(line)]


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


@pytest.mark.parametrize('command', MDEPTH)
def test_mdepth(command):
    parsed = parse(mdepth_words(command))
    # A recipe in the repository, or one that an earlier command leaves in its --out.
    if parsed.command == 'train' and parsed.source.suffix == '.yaml' and not parsed.resume:
        load_recipe(ROOT / parsed.source, parsed.settings)


def test_every_command_of_training_is_shown():
    shown = {mdepth_words(command)[0] for command in commands_of(GUIDE) if command in MDEPTH}
    assert {'prepare', 'train', 'evaluate'} <= shown


@pytest.mark.parametrize('wrong', ['data.wdth=64', 'teacher.steps=many', '--steps=3'])
def test_a_wrong_setting_is_found(wrong):
    with pytest.raises(MdepthError, match=wrong.partition('=')[0]):
        load_recipe(ROOT / 'training/synthetic/lite.yaml', [wrong])


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


@pytest.mark.parametrize(('folder', 'text'), [('.', README), ('training', GUIDE)],
                         ids=['readme', 'guide'])
def test_links_lead_somewhere(folder, text):
    headings = re.sub('[^a-z0-9 \\n-]', '', text.lower()).replace(' ', '-').split('\n')
    for target in re.findall(r'\]\(([^)]+)\)', text):
        if target.startswith('#'):
            assert f'-{target[1:]}' in headings, target
        elif not target.startswith('http'):
            assert (ROOT / folder / target).is_file(), target


def table_rows(text, first_cell):
    """The table whose head begins with a cell, as rows of cells."""
    rows = re.search(rf'\| {first_cell} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)', text)
    return [[cell.strip() for cell in row.strip('|').split('|')] for row in rows[1].splitlines()]


def dotted(recipe, prefix=''):
    """The settings of a recipe by the names that a command line gives them."""
    for field in fields(recipe):
        value = getattr(recipe, field.name)
        if is_dataclass(value):
            yield from dotted(value, f'{prefix}{field.name}.')
        else:
            yield prefix + field.name, value


def test_the_guide_has_every_setting_with_its_default():
    # A recipe needs a source and something to do.
    real = dict(dotted(Recipe(DataConfig(''), start='default', refine=Schedule(7, rate=1e-4))))
    real |= {'start': 'imagenet', 'refine.steps': 0}
    told = {}
    for key, default, _ in table_rows(GUIDE, 'key'):
        stages = ('teacher', 'student', 'refine') if 'STAGE' in key else ('',)
        values = [yaml.safe_load(word) for word in default.split(', ')] or ['']
        for stage, value in zip(stages, values * len(stages)):
            told[key.strip('`').replace('STAGE', stage)] = value if default else ''
    assert told == real


def test_the_guide_has_every_key_of_the_json_report():
    unscored = FrameScore('drive', 0, 0, Mode.SINGLE, None, 1.0, None)
    report = json_report(summarise([unscored]), per_frame=True)
    rows = re.search(r'The JSON has\n\n(.*?)\n\n', GUIDE, re.DOTALL)[1].splitlines()[2:]
    assert {key for row in rows for key in re.findall('`(.*?)`', row.split('|')[1])} == set(report)


def test_the_frames_folder_of_the_guide_is_one():
    example, = re.findall(r'```json\n(.*?)```', GUIDE, re.DOTALL)
    assert find_problems(json.loads(example)) == []
    for key in FILE_KEYS | FRAME_KEYS:
        assert f'"{key}"' in example or f'`{key}`' in GUIDE


def test_the_guide_has_every_reason_for_a_rejection():
    reasons = {value for name, value in vars(source_image).items()
               if name.isupper() and isinstance(value, str)}
    assert {row[0].strip('`') for row in table_rows(GUIDE, 'rejected as')} == reasons
