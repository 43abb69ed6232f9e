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

"""A refined M-DepthNet is kept where it makes the depth of other frames steadier."""

from copy import deepcopy
from dataclasses import replace

from mdepth_ros.networks.checkpoint import load_checkpoint
from mdepth_ros.training.loop import trainer
from mdepth_ros.training.loop.schedule import Schedule
import pytest
from runs import make_recipe, tiny_start
import torch

pytestmark = pytest.mark.usefixtures('in_torch')


def same(one, other):
    return all(torch.equal(x, other.state_dict()[name]) for name, x in one.state_dict().items())


@pytest.fixture
def recipe(rendered_folder, tmp_path):
    made = make_recipe(rendered_folder, tiny_start(tmp_path), batch=1, rounds=2,
                       distil=Schedule(1), refine=Schedule(2, rate=1e-3))
    return replace(made, data=replace(made.data, held_back=0.5), keep_refined='steadier')


@pytest.mark.parametrize(('errors', 'kept'), [
    ((0.2, 0.3, 0.2, 0.3), []), ((0.2, 0.1, 0.2, 0.3), [1]), ((0.2, 0.3, 0.2, 0.1), [2]),
    ((None, 0.1, 0.1, None), [])])
def test_what_is_steadier_is_kept(recipe, tmp_path, monkeypatch, capsys, errors, kept):
    told = iter(errors)
    monkeypatch.setattr(trainer, 'temporal_error', lambda *_: next(told))
    result = load_checkpoint(trainer.train(recipe, tmp_path / 'run'))
    refined = [load_checkpoint(tmp_path / 'run' / f'refine-{i}.safetensors') for i in (1, 2)]
    start = load_checkpoint(tmp_path / 'start.safetensors')
    expected = refined[kept[-1] - 1] if kept else start
    assert same(result.multi, expected.multi)
    assert not same(refined[0].multi, start.multi)
    assert same(result.single, refined[1].single)
    assert capsys.readouterr().out.count('is the refined one') == len(kept)


def test_nothing_is_refined_where_nobody_could_tell(recipe, tmp_path, capsys):
    recipe = replace(recipe, data=replace(recipe.data, held_back=0.1))  # of ten frames
    result = load_checkpoint(trainer.train(recipe, tmp_path / 'run'))
    assert same(result.multi, load_checkpoint(tmp_path / 'start.safetensors').multi)
    assert not list((tmp_path / 'run').glob('refine-*'))
    assert 'no refine: the sequences are too short' in capsys.readouterr().out


def test_both_are_told_from_each_other(recipe, tmp_path, monkeypatch):
    compared = []
    monkeypatch.setattr(trainer, 'temporal_error',
                        lambda model, *_: compared.append(deepcopy(model)) or 0.1)
    trainer.train(recipe, tmp_path / 'run')
    for before, after in zip(compared[::2], compared[1::2]):
        assert not same(before.multi, after.multi)
        assert same(before.single, after.single)
