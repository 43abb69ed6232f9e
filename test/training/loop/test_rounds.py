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

"""A round sees other images than the one before, and draws other noise, as no other run does."""

from dataclasses import replace
from types import SimpleNamespace

from lightning_fabric import Fabric
from mdepth_ros.training.loop import trainer
from mdepth_ros.training.loop.loop import Loop, LoopOptions
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.stages import distil
from mdepth_ros.training.stages.refine import RefineObjective
from mdepth_ros.training.stages.step_random import later_seed, StepRandom
import pytest
from runs import make_recipe, make_samples, tiny_model
import torch

STEPS = 2


@pytest.fixture
def loop(rendered_folder, tmp_path):
    return Loop(Fabric(accelerator='cpu', devices=1), make_samples(rendered_folder, 2), tmp_path,
                LoopOptions())


def images_of_round(loop, number):
    loop.round = number
    model = tiny_model()
    stage = loop.begin('refine', model, RefineObjective(model), Schedule(STEPS))
    return [batch.frames for _, batch in stage.batches()]


def test_a_round_goes_on_where_the_one_before_ended(loop):
    whole = loop.samples.batches(0)
    for number in (1, 2, 3):
        for seen, expected in zip(images_of_round(loop, number), whole):
            assert torch.equal(seen, expected.frames)


def test_a_round_draws_other_noise(loop):
    errors = torch.zeros(1, 2, 8, 8)
    noises = []
    for loop.round in (1, 2):
        noises.append(loop.random(0).tie_noise(errors))
        assert torch.equal(loop.random(0).tie_noise(errors), noises[-1])
    assert not torch.equal(*noises)


def test_no_other_run_draws_the_same():
    assert len({later_seed(seed, number) for seed in range(100) for number in range(10)}) == 1000
    assert [later_seed(seed, 0) for seed in (0, 7)] == [0, 7]


def test_the_noise_of_a_round_is_no_other_runs(loop):
    errors, noises = torch.zeros(1, 2, 8, 8), []
    for seed, loop.round in ((0, 1), (0, 2), (1, 1), (1, 2), (2, 1)):
        loop.options = LoopOptions(seed)
        noises.append(loop.random(0).tie_noise(errors))
    assert not any(torch.equal(a, b) for i, a in enumerate(noises) for b in noises[:i])
    assert torch.equal(noises[2], StepRandom(1, 0).tie_noise(errors))


def test_new_networks_are_no_other_runs(rendered_folder, tmp_path, monkeypatch):
    """Those of the teacher and of three students, of three runs."""
    seeds = []
    monkeypatch.setattr(trainer, 'start_model',
                        lambda recipe, seed: seeds.append(seed) or tiny_model())
    monkeypatch.setattr(trainer, '_stage', lambda loop, name, model, work: model)
    recipe = make_recipe(rendered_folder, 'default', student=Schedule(1), rounds=3)
    for seed in range(3):
        trainer.train(replace(recipe, loop=LoopOptions(seed)), tmp_path / f'{seed}')
    assert len(set(seeds)) == len(seeds) == 12


def test_frames_to_learn_from_come_in_no_other_runs_order(loop, monkeypatch):
    seeds = []
    monkeypatch.setattr(distil, 'teach', lambda *_, **__: [])
    monkeypatch.setattr(distil, 'TaughtSamples', lambda frames, batch, seed, *_: (
        seeds.append(seed) or SimpleNamespace(batches=lambda first: iter(()))))
    for seed in range(3):
        loop.options = LoopOptions(seed)
        for loop.round in (1, 2, 3):
            distil.train_distil(loop, tiny_model(), [], None, 2, Schedule(0))
    assert len(set(seeds)) == len(seeds) == 9
