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

"""A full disk, losses that are not numbers, data without motion: a clear end, nothing lost."""

from contextlib import contextmanager
import dataclasses
import resource

import cv2
from lightning_fabric import Fabric
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.checkpoint import load_checkpoint
from mdepth_ros.training.datasets.catalogue import open_data
from mdepth_ros.training.datasets.sequence import DataError
from mdepth_ros.training.loop import loop as loop_module
from mdepth_ros.training.loop.board import Board
from mdepth_ros.training.loop.loop import Loop, LoopOptions
from mdepth_ros.training.loop.record import Record
from mdepth_ros.training.loop.saved_state import load_state, save_state, SavedState
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.loop.trainer import train
from mdepth_ros.training.samples.neighbours import find_triplets
from mdepth_ros.training.stages.search_width import Search
from mdepth_ros.training.stages.teacher import train_teacher
import pytest
from runs import make_recipe, make_samples, read_losses, tiny_model, tiny_start
import torch

# TensorBoard writes in a thread of its own, which ends with the error on a full disk.
pytestmark = pytest.mark.filterwarnings('ignore::pytest.PytestUnhandledThreadExceptionWarning')


@contextmanager
def full_disk(most):
    """No file grows beyond so many bytes; Python ignores the signal, so writing fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_run_goes_on_once_there_is_room(rendered_folder, tmp_path):
    recipe = make_recipe(rendered_folder, tiny_start(tmp_path), batch=2, teacher=Schedule(2),
                         loop={'save_every_s': 0.0})
    whole, full = tmp_path / 'whole', tmp_path / 'full'
    train(recipe, whole)
    with full_disk(10_000_000), pytest.raises(MdepthError, match=r'cannot write .*state\.pt'):
        train(recipe, full)
    assert not list(full.glob('.state*'))
    train(recipe, full, resume=True)
    assert read_losses(full) == read_losses(whole)
    one, other = (load_checkpoint(folder / 'model.safetensors').state_dict()
                  for folder in (whole, full))
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_the_last_state_survives_a_full_disk(tmp_path):
    path = tmp_path / 'state.pt'
    assert load_state(path) is None
    save_state(SavedState('teacher-1', 3, 1, {'a': torch.ones(100)}, {'b': [1, 2.0]}), path)
    large = SavedState('teacher-1', 4, 1, {'a': torch.ones(1_000_000)}, {})
    for most in (0, 1000, 1_000_000):
        with full_disk(most), pytest.raises(MdepthError, match='before is whole') as error:
            save_state(large, path)
        assert '\n' not in str(error.value)
        state = load_state(path)
        assert (state.stage, state.step, state.skipped, state.optimiser) == (
            'teacher-1', 3, 1, {'b': [1, 2.0]})
        assert torch.equal(state.model['a'], torch.ones(100))
        assert [file.name for file in tmp_path.iterdir()] == ['state.pt']
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(MdepthError, match=r'state\.pt is not a saved state'):
        load_state(path)


def test_a_full_disk_stops_record_and_board_in_one_line(tmp_path):
    record = Record(tmp_path / 'record.jsonl')
    record.add({'stage': 'a', 'step': 0})
    board = Board(tmp_path / 'events', 0)
    with full_disk(10):
        with pytest.raises(MdepthError, match=r'cannot write .*record\.jsonl'):
            record.add({'stage': 'a', 'step': 1})
        with pytest.raises(MdepthError, match=r'cannot write .*record\.jsonl'):
            record.rewind('a', 1)
        with pytest.raises(MdepthError, match=r'cannot write TensorBoard files in .*events'):
            board.scalars(0, dict.fromkeys(map(str, range(10_000)), 1.0))


def test_a_full_disk_stops_the_search_for_neighbours_in_one_line(rendered_folder, tmp_path):
    cache = tmp_path / 'neighbours.json'
    with full_disk(10), pytest.raises(MdepthError, match=r'^cannot write .*neighbours\.json: '):
        find_triplets(open_data(rendered_folder), 'auto', cache, progress=False)
    assert not list(tmp_path.iterdir())


def test_a_record_forgets_what_is_done_again(tmp_path):
    record = Record(tmp_path / 'record.jsonl')
    for stage, step in (('a', 0), ('a', 1), ('b', 0), ('b', 1)):
        record.add({'stage': stage, 'step': step})
    with open(tmp_path / 'record.jsonl', 'a') as file:
        file.write('{"stage": "b", "st')  # killed while writing
    record.rewind('b', 1)
    record.add({'stage': 'b', 'step': 1, 'again': True})
    assert record.lines() == [{'stage': 'a', 'step': 0}, {'stage': 'a', 'step': 1},
                              {'stage': 'b', 'step': 0}, {'stage': 'b', 'step': 1, 'again': True}]


class Spoiled:
    """Samples whose intrinsics are NaN at some steps."""

    def __init__(self, samples, steps):
        self._samples, self._steps = samples, steps

    def batches(self, first_step):
        for step, batch in enumerate(self._samples.batches(first_step), first_step):
            yield batch._replace(K=batch.K * float('nan')) if step in self._steps else batch


def run_teacher(frames, folder, spoiled, steps, model=None):
    """Train for some steps and return the model."""
    folder.mkdir(exist_ok=True)
    model = model or tiny_model()
    options = LoopOptions(save_every_s=0.0, log_every=1, pictures_every=1)
    loop = Loop(Fabric(accelerator='cpu', devices=1), Spoiled(make_samples(frames, 2), spoiled),
                folder, options)
    train_teacher(loop, model, Schedule(steps), Search(hold=0.0))
    return model


def test_a_step_without_a_number_leaves_no_trace(rendered_folder, tmp_path):
    """Not in the weights, not in delta, not in the statistics of batch normalisation."""
    before = run_teacher(rendered_folder, tmp_path / 'one', spoiled=(), steps=1).state_dict()
    model = run_teacher(rendered_folder, tmp_path / 'two', spoiled=(1,), steps=2)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    lines = read_losses(tmp_path / 'two')
    assert [line['skipped'] for line in lines] == [0, 1]
    assert lines[1]['loss'] is None
    # Nothing was saved while it was in trouble, and what was skipped stays counted.
    assert load_state(tmp_path / 'two' / 'state.pt').step == 1


def test_skipped_steps_stay_counted_and_training_goes_on(rendered_folder, tmp_path):
    run_teacher(rendered_folder, tmp_path / 'run', spoiled=(0,), steps=2)
    assert load_state(tmp_path / 'run' / 'state.pt').skipped == 1
    model = tiny_model()
    run_teacher(rendered_folder, tmp_path / 'run', spoiled=(), steps=3, model=model)
    assert [line['skipped'] for line in read_losses(tmp_path / 'run')] == [1, 1, 1]
    assert all(bool(value.isfinite().all()) for value in model.state_dict().values())


def test_many_in_a_row_end_the_run_with_its_last_good_state(
        rendered_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(loop_module, 'PATIENCE', 3)
    with pytest.raises(MdepthError, match=r'teacher-1: 3 steps in a row .*recipe\.yaml'):
        run_teacher(rendered_folder, tmp_path / 'run', spoiled=range(1, 99), steps=20)
    assert [line['step'] for line in read_losses(tmp_path / 'run')] == [0, 1, 2]
    state = load_state(tmp_path / 'run' / 'state.pt')
    assert state.step == 1
    assert all(bool(value.isfinite().all()) for value in state.model.values())


def test_a_camera_that_never_moves_is_told(rendered_folder, tmp_path):
    frames = tmp_path / 'still'
    frames.mkdir()
    (frames / 'frames.json').write_bytes((rendered_folder / 'frames.json').read_bytes())
    image = cv2.imread(str(rendered_folder / '0.png'))
    for number in range(10):
        cv2.imwrite(str(frames / f'{number}.png'), image)
    recipe = make_recipe(frames, tiny_start(tmp_path), teacher=Schedule(2))
    recipe = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, gap='auto'))
    with pytest.raises(DataError, match=r'nothing to train on .* 10 static camera'):
        train(recipe, tmp_path / 'run')
