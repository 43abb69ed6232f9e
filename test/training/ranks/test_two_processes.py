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

"""
Two processes train like one with the joined batch.

What may differ is rounding: batch normalisation sums in another order, 1e-6 of depth. An
auto-masked pixel that ties flips with it, a few in 16,384, and moves the masked mean by 1e-4. Adam
divides by the gradient's length, so where a gradient is nearly 0 its rounded sign decides on a
whole step; at the usual rate that grows to percents of the loss within three steps. Hence the low
rate here: what is compared is the arithmetic, not how chaos amplifies it.
"""

import shutil

from mdepth_ros.config import paper_config
from mdepth_ros.networks.checkpoint import load_checkpoint
from mdepth_ros.training.datasets.sequence import DataError
from mdepth_ros.training.loop.recipe import Devices
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.loop.trainer import _run_stages, claim, make_fabric, train
from mdepth_ros.training.stages.search_width import Search
import pytest
from runs import make_recipe, make_samples, read_losses, tiny_start
import torch

RATE = 1e-5
# With 0, a motion by depth and one by epipolar lines tie to six digits in the first batch.
SEED = 2


def run_all(fabric, folders):
    """Several runs with one start of the processes, which takes seconds."""
    for folder in folders:
        _run_stages(fabric, folder)


@pytest.fixture(scope='module')
def outcomes(rendered_folder, tmp_path_factory):
    """Weights at the start, and records and weights of one and of two processes, by run."""
    base = tmp_path_factory.mktemp('ranks')
    (base / 'paper').mkdir()
    starts = {'lite': tiny_start(base), 'paper': tiny_start(base / 'paper', paper_config())}
    changes = {
        'lite': {'teacher': Schedule(2, RATE), 'search': Search('paper', hold=0.0)},
        'paper': {'teacher': Schedule(1, RATE), 'search': Search('quantile', hold=0.0)},
        'student': {'student': Schedule(2, RATE)},
        'distil': {'distil': Schedule(2, RATE)},
    }
    for processes in (1, 2):
        devices = Devices('cpu', processes)
        folders = [base / f'{processes}' / name for name in changes]
        for folder in folders:
            recipe = make_recipe(rendered_folder, starts.get(folder.name, starts['lite']),
                                 devices=devices, loop={'seed': SEED}, **changes[folder.name])
            claim(recipe, folder, resume=False)
        make_fabric(devices, 4).launch(run_all, folders)
    return {name: (load_checkpoint(starts.get(name, starts['lite'])),
                   *((read_losses(base / f'{n}' / name),
                      load_checkpoint(base / f'{n}' / name / 'model.safetensors'))
                     for n in (1, 2))) for name in changes}


def select(model, kind):
    """All values of a kind, as one vector."""
    def kind_of(name):
        return 'statistics' if 'running_' in name else 'delta' if 'delta' in name else 'weights'
    return torch.cat([value.flatten() for name, value in model.state_dict().items()
                      if value.is_floating_point() and kind_of(name) == kind])


def difference(outcome, kind):
    """How far two processes end from one, relative to how far that one went."""
    start, (_, one), (_, two) = outcome
    start, one, two = (select(model, kind) for model in (start, one, two))
    assert not torch.equal(start, one)
    return float((two - one).norm() / (one - start).norm())


@pytest.mark.parametrize('name', ['lite', 'paper'])
def test_teacher(outcomes, name):
    """Both profiles, the first with the paper's rule for delta, the second with ours."""
    _, (one, _), (two, _) = outcome = outcomes[name]
    assert len(one) == len(two) >= 1
    for a, b in zip(one, two):
        assert b == pytest.approx(a, rel=2e-3)
        for term in ('multi', 'mask', 'smoothness', 'delta'):  # those without ties
            assert b[term] == pytest.approx(a[term], rel=2e-5), term
    assert difference(outcome, 'weights') < 0.1
    assert difference(outcome, 'statistics') < 5e-4
    assert difference(outcome, 'delta') < 1e-4


def test_student(outcomes):
    _, (one, _), (two, _) = outcome = outcomes['student']
    for a, b in zip(one, two):
        assert b['single'] == pytest.approx(a['single'], rel=2e-5)
        assert b['distilled share'] > 0.05
        assert b == pytest.approx(a, rel=1e-2)
    assert difference(outcome, 'weights') < 0.2
    assert difference(outcome, 'statistics') < 5e-3
    start, (_, one), (_, two) = outcome
    assert all(torch.equal(select(start.multi, kind), select(model.multi, kind))
               for model in (one, two) for kind in ('weights', 'statistics', 'delta'))


def test_distil(outcomes):
    """Ten frames are one stretch: both processes play it, and share the batches out."""
    _, (one, _), (two, _) = outcome = outcomes['distil']
    assert len(one) == len(two) == 2
    for a, b in zip(one, two):
        assert b == pytest.approx(a, rel=1e-4)
    assert difference(outcome, 'weights') < 0.2
    assert difference(outcome, 'statistics') < 5e-4


def reads(frames, rank):
    """Whether a process finds the frames of its half of the first batch."""
    try:
        next(make_samples(frames, 2, rank=rank, world_size=2).batches())
    except DataError:
        return False
    return True


def test_a_problem_of_the_second_process_is_told_in_one_line(rendered_folder, tmp_path):
    frames = tmp_path / 'frames'
    shutil.copytree(rendered_folder, frames)
    for number in range(10):
        file = frames / f'{number}.png'
        whole = file.read_bytes()
        file.write_bytes(b'broken')
        if reads(frames, 0) and not reads(frames, 1):
            break
        file.write_bytes(whole)
    else:
        pytest.fail('no frame is read by the second process alone')
    recipe = make_recipe(frames, tiny_start(tmp_path), batch=2, teacher=Schedule(1),
                         devices=Devices('cpu', 2))
    with pytest.raises(DataError, match=rf'{file.name} ') as error:
        train(recipe, tmp_path / 'run')
    assert '\n' not in str(error.value)
