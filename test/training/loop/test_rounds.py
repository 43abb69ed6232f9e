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

"""A round sees other images than the one before, and draws other noise."""

from lightning_fabric import Fabric
from mdepth_ros.training.loop.loop import Loop, LoopOptions
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.stages.refine import RefineObjective
import pytest
from runs import make_samples, tiny_model
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
