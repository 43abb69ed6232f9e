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

"""Killed at any moment, a run resumes to the very numbers of an undisturbed one."""

import itertools
import multiprocessing
import os
from pathlib import Path
import signal

from mdepth_ros.networks.checkpoint import load_checkpoint
from mdepth_ros.networks.efficientnet import EfficientNetLite0Encoder
from mdepth_ros.training.loop.saved_state import load_state
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.loop.trainer import train
import pytest
from runs import make_recipe, read_losses
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
import torch

STAGES = {'teacher-1': 3, 'student-1': 2, 'refine-1': 1, 'student-2': 2, 'refine-2': 1}
MODULE = 'mdepth_ros.training.loop.trainer'


@pytest.fixture(scope='module')
def recipe(rendered_folder, tmp_path_factory):
    """All stages, two rounds, a state after each step, layers that start at random."""
    encoder = tmp_path_factory.mktemp('start') / 'encoder.pth'
    torch.manual_seed(0)
    torch.save(EfficientNetLite0Encoder().state_dict(), encoder)
    return make_recipe(
        rendered_folder, 'imagenet', batch=2, rounds=2,
        imagenet={'efficientnet_lite0': str(encoder)},
        teacher=Schedule(3), student=Schedule(2, 1e-4), refine=Schedule(1, 1e-4),
        loop={'save_every_s': 0.0, 'pictures_every': 1})


@pytest.fixture(scope='module')
def undisturbed(recipe, tmp_path_factory):
    folder = tmp_path_factory.mktemp('undisturbed') / 'run'
    train(recipe, folder)
    return folder


# When a run is killed, told by a file that is about to be put in its place, or was (``done``).
MOMENTS = (
    lambda path, done: path.name == 'state.pt' and path.exists() and not done,
    lambda path, done: path.name == 'teacher-1.safetensors' and done,
    lambda path, done: (path.name == 'state.pt' and not done
                        and path.with_name('student-1.safetensors').exists()),
    lambda path, done: (path.name == 'state.pt' and done
                        and path.with_name('refine-1.safetensors').exists()),
)


def run_apart(function, *arguments):
    """Run in a process from one that has imported everything before; returns its exit code."""
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload([MODULE])
    process = context.Process(target=function, args=arguments)
    process.start()
    process.join()
    return process.exitcode


def train_and_die(recipe, folder, number):
    """Resume in a process that is killed at a moment: from inside, or it could be over first."""
    put = os.replace

    def put_or_die(source, target):
        for done in (False, True):
            if done:
                put(source, target)
            if MOMENTS[number](Path(target), done):
                os.kill(os.getpid(), signal.SIGKILL)

    os.replace = put_or_die
    train(recipe, folder, True)


@pytest.fixture(scope='module')
def killed(recipe, tmp_path_factory):
    """Kill a run while saving, between two stages, while saving again, and after it."""
    folder = tmp_path_factory.mktemp('killed') / 'run'
    for number in range(len(MOMENTS)):
        assert run_apart(train_and_die, recipe, folder, number) == -signal.SIGKILL
        load_state(folder / 'state.pt')
    assert run_apart(train, recipe, folder, True) == 0
    return folder


def test_an_undisturbed_run_does_every_step(undisturbed):
    steps = [(line['stage'], line['step']) for line in read_losses(undisturbed)]
    assert steps == [(stage, step) for stage, count in STAGES.items() for step in range(count)]
    assert not (undisturbed / 'state.pt').exists()


def test_killed_runs_reach_the_same_losses(undisturbed, killed):
    assert read_losses(killed) == read_losses(undisturbed)


def test_killed_runs_reach_the_same_weights(undisturbed, killed):
    for name in (*STAGES, 'model'):
        one, other = (load_checkpoint(folder / f'{name}.safetensors').state_dict()
                      for folder in (undisturbed, killed))
        assert all(torch.equal(value, other[key]) for key, value in one.items()), name


def test_nothing_is_left_lying_about(undisturbed, killed):
    assert {path.name for path in undisturbed.iterdir()} == {
        path.name for path in killed.iterdir()}


def test_a_finished_run_stays_as_it_is(recipe, killed):
    before = read_losses(killed)
    train(recipe, killed, resume=True)
    assert read_losses(killed) == before


def events(folder, stage):
    board = EventAccumulator(str(folder / 'tensorboard' / stage), {'scalars': 0, 'images': 0})
    return board.Reload()


def test_tensorboard_shows_what_is_promised(undisturbed):
    common = {'input', 'warped source', 'depth, single-frame', 'depth, multi-frame', 'delta'}
    promised = {
        'teacher-1': ({'single', 'smoothness', 'multi', 'mask', 'moving share'},
                      {'auto-mask', 'confidence'}),
        'student-1': ({'single', 'smoothness', 'distillation', 'distilled share'}, {'distilled'}),
        'refine-2': ({'multi', 'mask'}, {'confidence'}),
    }
    for stage, (scalars, images) in promised.items():
        board = events(undisturbed, stage)
        everywhere = {'loss', 'learning rate', 'images per second', 'delta', 'skipped'}
        assert everywhere | scalars <= set(board.Tags()['scalars'])
        assert common | images <= set(board.Tags()['images'])
    loss = events(undisturbed, 'teacher-1').Scalars('loss')
    assert [(e.step, e.value) for e in loss] == [
        (line['step'], pytest.approx(line['loss']))
        for line in itertools.islice(read_losses(undisturbed), 3)]
    picture = events(undisturbed, 'teacher-1').Images('input')[0]
    assert (picture.width, picture.height) == (2 * 64, 64)


def test_tensorboard_shows_each_step_once_after_kills(killed):
    for stage, count in STAGES.items():
        assert [e.step for e in events(killed, stage).Scalars('loss')] == list(range(count))
