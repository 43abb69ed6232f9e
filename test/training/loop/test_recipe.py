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

"""Recipes: what is read, what is refused and in what words, and the ones that are shipped."""

import dataclasses
from pathlib import Path

from mdepth_ros.errors import MdepthError
from mdepth_ros.training.loop.loop import LoopOptions
from mdepth_ros.training.loop.recipe import (
    DataConfig,
    Devices,
    dump_recipe,
    load_recipe,
    Recipe,
)
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.loop.trainer import claim, make_fabric
from mdepth_ros.training.stages.search_width import Search
import pytest

RECIPES = Path(__file__).resolve().parents[3] / 'training'
SHIPPED = sorted(path for path in RECIPES.rglob('*.yaml') if path.name != 'ablation.yaml')
TEXT = 'data: {source: synthetic}\nteacher: {steps: 3}\n'


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'recipe.yaml'
    path.write_text(TEXT)
    return path


def test_what_is_written_is_read(tmp_path):
    recipe = Recipe(
        DataConfig('a b: c', 128, 96, 3, 77, 0.2, 'split.txt', 2, False, 32, 1, 9), 'paper',
        'default', {'hrnet18': 'a.pth', 'resnet18': 'b.pth'}, 6, Schedule(7, 1e-5, 0.5, 0.3),
        Schedule(8), Schedule(9), Schedule(10), 'steadier', 50, 2, 3.5, 0.2,
        Search('paper', 0.5, 0.1),
        LoopOptions(3, 4.5, 6, 7, True), Devices('cpu', 2, 'bf16-mixed'))
    default = Recipe(DataConfig('x'), teacher=Schedule(1))
    assert not any(getattr(recipe, field.name) == getattr(default, field.name)
                   for field in dataclasses.fields(Recipe))
    for some in (recipe, default):
        dump_recipe(some, tmp_path / 'recipe.yaml')
        assert load_recipe(tmp_path / 'recipe.yaml') == some
    assert [path.name for path in tmp_path.iterdir()] == ['recipe.yaml']


def test_the_command_line_wins(file):
    recipe = load_recipe(file, ['teacher.steps=100', 'student.rate=1e-5', 'data.gap=2',
                                'model=paper', 'imagenet.hrnet18=some.pth'])
    assert recipe.teacher == Schedule(100)
    assert recipe.student == Schedule(0, rate=1e-5)
    assert recipe.data == DataConfig('synthetic', gap=2)
    assert recipe.model == 'paper'
    assert recipe.imagenet == {'hrnet18': 'some.pth'}


@pytest.mark.parametrize(('word', 'message'), [
    ('teacher.stepps=1', 'stepps'),
    ('colour=red', 'colour'),
    ('model=huge', 'huge'),
    ('batch=many', 'many'),
    ('batch=0', 'batch must be at least 1, got 0'),
    ('rounds=0', 'rounds must be at least 1, got 0'),
    ('teacher.steps=0', 'nothing to do'),
    ('teacher.rate=0', 'rate must be > 0, got 0.0'),
    ('teacher.drop=2', r'drop must be in \(0, 1\], got 2.0'),
    ('data.width=100', 'width must be a multiple of 32 from 64 on, got 100'),
    ('data.gap=0', 'gap must be auto or at least 1, got 0'),
    ('data.tracks=-1', 'tracks must be 0, or at least 20, .* got -1'),
    ('data.tracks=19', 'tracks must be 0, or at least 20, .* got 19'),
    ('data.workers=-1', 'workers must be at least 0, got -1'),
    ('data.worlds=0', 'worlds must be at least 1, got 0'),
    ('data.held_back=1', 'held_back'),
    ('search.rule=max', 'max'),
    ('search.hold=2', r'hold must be in \[0, 1\], got 2.0'),
    ('loop.log_every=0', 'log_every must be at least 1, got 0'),
    ('loop.seed=-1', 'seed must be at least 0, got -1'),
    ('devices.processes=-1', 'processes must be at least 0, got -1'),
    ('devices.precision=16-mixed', '16-mixed'),
    ('imagenet.vgg=a.pth', 'vgg'),
    ('anchor_depth=-1', 'anchor_depth must be >= 0, got -1.0'),
    ('hold_start=-1', 'hold_start must be >= 0, got -1.0'),
    ('hold_start=0.1', 'hold_start needs weights to start from, not imagenet'),
    ('start', "expected key=value after the recipe, got 'start'"),
    ('--batch=3', 'expected key=value'),
])
def test_what_is_wrong_is_said_in_one_line(file, word, message):
    with pytest.raises(MdepthError, match=message) as error:
        load_recipe(file, [word])
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(('text', 'message'), [
    (TEXT + 'extra: 1', 'extra'),
    ('teacher: {steps: 3}', 'source'),
    ('data: [', 'recipe.yaml'),
    ('data: {source: synthetic}\nstudent: {steps: 3}', 'must start from weights'),
    (TEXT + 'refine: {steps: 3}\nkeep_refined: steadier', 'must be always with synthetic scenes'),
])
def test_a_wrong_file_is_named(file, text, message):
    file.write_text(text)
    with pytest.raises(MdepthError, match=message) as error:
        load_recipe(file)
    assert '\n' not in str(error.value)
    assert str(file) in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MdepthError, match=r'no recipe at .*none\.yaml'):
        load_recipe(tmp_path / 'none.yaml')


def test_a_folder_holds_one_run(file, tmp_path):
    recipe, folder = load_recipe(file), tmp_path / 'new' / 'run'
    claim(recipe, folder, resume=True)
    (folder / 'teacher-1.safetensors').touch()
    claim(recipe, folder, resume=True)
    with pytest.raises(MdepthError, match=r'holds a training run.*--resume.*--out'):
        claim(recipe, folder, resume=False)
    with pytest.raises(MdepthError, match='another recipe'):
        claim(load_recipe(file, ['batch=6']), folder, resume=True)
    assert load_recipe(folder / 'recipe.yaml') == recipe
    with pytest.raises(MdepthError, match='cannot write'):
        claim(recipe, file / 'below a file', resume=False)


@pytest.mark.parametrize('saved', ['state.pt', 'teacher-1.safetensors'])
def test_a_run_that_saved_nothing_does_not_block_its_folder(file, tmp_path, saved):
    folder = tmp_path / 'run'
    claim(load_recipe(file), folder, resume=False)
    other = load_recipe(file, ['batch=6'])
    claim(other, folder, resume=False)
    assert load_recipe(folder / 'recipe.yaml') == other
    (folder / saved).touch()
    with pytest.raises(MdepthError, match='holds a training run'):
        claim(other, folder, resume=False)


def test_processes_share_the_batch():
    with pytest.raises(MdepthError, match='2 processes cannot share a batch of 3'):
        make_fabric(Devices('cpu', 2), 3)
    assert make_fabric(Devices('cpu'), 1).world_size == 1
    assert make_fabric(Devices('cpu', 2), 4).world_size == 2


def test_torchrun_decides_on_processes_and_machines(monkeypatch):
    for name, value in {'TORCHELASTIC_RUN_ID': 'x', 'LOCAL_WORLD_SIZE': '2', 'WORLD_SIZE': '6',
                        'RANK': '5', 'LOCAL_RANK': '1', 'GROUP_RANK': '2',
                        'MASTER_ADDR': 'localhost', 'MASTER_PORT': '1'}.items():
        monkeypatch.setenv(name, value)
    fabric = make_fabric(Devices('cpu'), 12)
    assert (fabric.world_size, fabric.global_rank, fabric.node_rank) == (6, 5, 2)
    with pytest.raises(MdepthError, match='6 processes cannot share a batch of 8'):
        make_fabric(Devices('cpu'), 8)


def test_rates_fall_where_the_schedule_says():
    schedule = Schedule(20, rate=2e-4, drop_at=0.75, drop=0.1)
    assert [schedule.rate_at(step) for step in (0, 14, 15, 19)] == pytest.approx(
        [2e-4, 2e-4, 2e-5, 2e-5])


@pytest.mark.parametrize(('steps', 'rising'), [(1, 0), (6, 3), (100, 50), (2000, 50)])
def test_a_short_stage_still_reaches_its_rate_before_it_drops(steps, rising):
    schedule = Schedule(steps, rate=1.0, warm_up=50)
    rates = [schedule.rate_at(step) for step in range(steps)]
    assert rates[:rising] == pytest.approx(
        [(step + 1) / (rising + 1) for step in range(rising)])
    assert all(rate == 1.0 for rate in rates[rising:3 * steps // 4])


@pytest.mark.parametrize('path', SHIPPED, ids=lambda path: str(path.relative_to(RECIPES)))
def test_shipped_recipes(path):
    load_recipe(path)
    keys = [line for line in path.read_text().splitlines()
            if line.strip() and not line.lstrip().startswith('#')]
    assert all('#' in line or line.endswith(':') for line in keys), 'each key says why'


def test_recipes_are_shipped():
    assert len(SHIPPED) >= 4


@pytest.mark.parametrize(('text', 'reason'), [
    ('[1, 2]', 'the recipe must be a mapping of keys, got list'),
    ('data: {source: x}\nloop: [1, 2]\nteacher: {steps: 3}\n', 'mapping'),
    ('data: &r [*r, *r]\n', 'cannot read the recipe: it must stand for at most'),
    ('batch: 2001-99-99\n', 'cannot read the recipe: month'),
], ids=['list', 'part', 'self', 'date'])
def test_what_is_no_recipe_at_all(file, text, reason):
    file.write_text(text)
    with pytest.raises(MdepthError, match=reason) as caught:
        load_recipe(file)
    assert '\n' not in str(caught.value)
