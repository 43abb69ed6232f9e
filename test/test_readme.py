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

"""The README and the training guide name all that there is; ``test_docs`` checks every page."""

from dataclasses import fields, is_dataclass
import json
import re

from mdepth_ros.cli.main import parse
from mdepth_ros.engine.frames import Mode
from mdepth_ros.errors import MdepthError
from mdepth_ros.ros.publishers import TOPICS
from mdepth_ros.training.datasets.frames_check import FILE_KEYS, find_problems, FRAME_KEYS
from mdepth_ros.training.evaluation.report import json_report
from mdepth_ros.training.evaluation.scores import FrameScore
from mdepth_ros.training.evaluation.summary import summarise
from mdepth_ros.training.loop.recipe import DataConfig, load_recipe, Recipe, STAGES
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.prepare import source_image
from pages import commands_of, is_mdepth, launch_arguments, mdepth_words, PAGES, ROOT, tables
import pytest
import yaml

README, GUIDE = PAGES['README.md'], PAGES['training/README.md']


def test_there_are_commands():
    assert {'make demo', 'make test'} <= set(commands_of(README))


def test_every_command_of_training_is_shown():
    shown = {mdepth_words(command)[0] for command in commands_of(GUIDE) if is_mdepth(command)}
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


def test_launch_arguments_are_named():
    line = re.search(r'`depth.launch.py` takes (.*?)\. Every', README, re.DOTALL)
    assert set(re.findall(r'`([a-z_]+)`', line[1])) == launch_arguments()


def test_topics_are_named():
    assert set(TOPICS) <= set(re.findall(r'`([a-z/_]+)`', README))


def dotted(recipe, prefix=''):
    """Return the settings of a recipe by the names that a command line gives them."""
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
    for key, default, _ in tables(GUIDE, 'key')[0]:
        stages = STAGES if 'STAGE' in key else ('',)
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
    assert {row[0].strip('`') for row in tables(GUIDE, 'rejected as')[0]} == reasons
