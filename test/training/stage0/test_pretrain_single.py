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

"""Stage 0 of S-DepthNet: its loss by hand, and training that goes on after an interruption."""

import argparse

from mdepth_ros.config import lite_config
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.checkpoint import load_checkpoint, save_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.loop.saved_state import load_state
from mdepth_ros.training.stage0 import pool_training, pretrain_single
from mdepth_ros.training.stage0.pretrain_single import median_scaled_loss, train
import numpy as np
import pytest
import torch


def truth():
    depth = 2 + 20 * torch.rand(2, 1, 32, 64, generator=torch.Generator().manual_seed(0))
    depth[:, :, :8] = torch.inf
    return depth


def test_exact_depth_costs_nothing_and_scale_alone_little():
    exact = truth().clamp(max=100.0)
    assert median_scaled_loss(exact, truth()) == pytest.approx(0.0, abs=1e-6)
    assert median_scaled_loss(1.5 * exact, truth()) == pytest.approx(0.2 * np.log(1.5), rel=1e-4)
    assert median_scaled_loss(exact.flip(-1), truth()) > 1.0


def test_one_step_of_depth_by_hand():
    # The left half is right, the right half 10 % too far: the median is that of the larger half.
    depth = torch.full((1, 1, 8, 8), 5.0)
    wrong = depth.clone()
    wrong[..., 5:] = 5.5
    step = np.log(1.1)
    error = 3 / 8 * step
    # The step crosses one of 7, 3, 1 pairs of columns at strides 1, 2, 4; there is none at 8.
    gradients = 0.25 * step * (1 / 7 + 1 / 3)
    # At stride 4 columns 0 and 4 are compared, both right.
    assert median_scaled_loss(wrong, depth) == pytest.approx(error + gradients, rel=1e-4)


def test_sky_is_pushed_away_but_never_too_far():
    depth = truth().clamp(max=100.0)
    near_sky = torch.where(truth().isinf(), 20.0, depth)
    assert median_scaled_loss(near_sky, truth()) > median_scaled_loss(depth, truth()) + 0.05
    far_sky = torch.where(truth().isinf(), 100.0, depth)
    assert median_scaled_loss(far_sky, truth()) < 0.01


def test_an_image_of_sky_alone_still_has_a_gradient():
    depth = torch.full((1, 1, 16, 16), 10.0, requires_grad=True)
    loss = median_scaled_loss(depth, torch.full((1, 1, 16, 16), torch.inf))
    loss.backward()
    assert loss.isfinite()
    assert (depth.grad < 0).all()


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Return a function that trains on tiny images in this process, and the weights file."""
    for name, value in {'RANK': '0', 'WORLD_SIZE': '1', 'MASTER_ADDR': '127.0.0.1',
                        'MASTER_PORT': '0'}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(pretrain_single, 'SIZES', ((64, 64, 2), (96, 64, 2)))
    monkeypatch.setattr(pool_training, 'SAVE_EVERY', 2)
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    save_checkpoint(DepthModel(lite_config()), tmp_path / 'start.safetensors', torch.float32, 't')

    def run(**changes):
        arguments = argparse.Namespace(**{
            'weights': tmp_path / 'start.safetensors', 'out': tmp_path / 'out.safetensors',
            'stage': 'pretrain_single', 'steps': 3, 'rate': 1e-3, 'first': 2, 'grow_every': 2,
            'seed': 5, 'photographs': None, **changes})
        train(arguments)
        return arguments.out

    yield run
    torch.set_num_threads(threads)


def fail_from(call, error, monkeypatch):
    """Let the loss of that call and those after it be something else."""
    calls = []

    def spoiled(*arguments):
        calls.append(None)
        if len(calls) < call:
            return median_scaled_loss(*arguments)
        if isinstance(error, type):
            raise error
        return error * median_scaled_loss(*arguments)

    monkeypatch.setattr(pretrain_single, 'median_scaled_loss', spoiled)
    return calls


def test_training_goes_on_where_it_was_and_ends_once(trained, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        fail_from(3, KeyboardInterrupt, patch)
        with pytest.raises(KeyboardInterrupt):
            trained()
    assert load_state(tmp_path / 'out.state').step == 2
    calls = fail_from(9, KeyboardInterrupt, monkeypatch)
    out = trained()
    state = load_state(tmp_path / 'out.state')
    assert (len(calls), state.step) == (1, 3)
    # In half precision.
    written, before = (load_checkpoint(path).single.state_dict()
                       for path in (out, tmp_path / 'start.safetensors'))
    for name, learned in state.model.items():
        torch.testing.assert_close(written[name].double(), learned.double(), atol=1e-4, rtol=1e-3)
    assert any(not torch.equal(written[name], before[name]) for name in before)
    bytes_before = out.read_bytes()
    trained()
    assert (len(calls), out.read_bytes()) == (1, bytes_before)
    out.unlink()
    again = load_checkpoint(trained()).single.state_dict()
    assert all(torch.equal(x, written[name]) for name, x in again.items())


def test_an_interruption_changes_nothing(trained, tmp_path, monkeypatch):
    """Neither worlds nor draws nor weights, also after those that are saved have got new ones."""
    whole = load_checkpoint(trained(steps=9, out=tmp_path / 'whole.safetensors')).state_dict()
    with monkeypatch.context() as patch:
        fail_from(6, KeyboardInterrupt, patch)
        with pytest.raises(KeyboardInterrupt):
            trained(steps=9)
    assert load_state(tmp_path / 'out.state').step == 4
    torch.manual_seed(77)
    again = load_checkpoint(trained(steps=9)).state_dict()
    assert all(torch.equal(x, again[name]) for name, x in whole.items())


def test_first_worlds_must_make_a_batch(trained):
    with pytest.raises(MdepthError, match=r'--first must be at least 2, .* got 1'):
        trained(first=1)


def test_a_state_of_other_arguments_is_refused(trained, tmp_path):
    trained(steps=1)
    state = (tmp_path / 'out.state').read_bytes()
    with pytest.raises(MdepthError, match=r'out\.state is of .*--rate 0\.001 .*--rate 0\.002 '):
        trained(steps=1, rate=2e-3)
    assert (tmp_path / 'out.state').read_bytes() == state
    (tmp_path / 'start.safetensors').write_bytes((tmp_path / 'out.safetensors').read_bytes())
    with pytest.raises(MdepthError, match=r'out\.state is of pretrain_single .*--weights '):
        trained(steps=1)
    (tmp_path / 'out.state').write_bytes(state[:300])
    with pytest.raises(MdepthError, match='not a saved state'):
        trained(steps=1)


def test_steps_without_a_number_leave_no_trace(trained, tmp_path, monkeypatch):
    """Not in the weights, not in the statistics of batch normalisation."""
    with monkeypatch.context() as patch:
        fail_from(1, float('nan'), patch)
        trained()
    start = load_checkpoint(tmp_path / 'start.safetensors').single.state_dict()
    state = load_state(tmp_path / 'out.state').model
    assert all(torch.equal(x, state[name]) for name, x in start.items())


def test_many_steps_without_a_number_end_it(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(pool_training, 'PATIENCE', 3)
    calls = fail_from(1, float('nan'), monkeypatch)
    with pytest.raises(MdepthError, match=r'3 steps in a row .*--rate, now 0.001'):
        trained(steps=9)
    assert len(calls) == 3
    assert not (tmp_path / 'out.safetensors').exists()


def test_bad_weights_end_in_one_line(monkeypatch, tmp_path, trained):
    monkeypatch.setattr('sys.argv', ['pretrain_single', '--weights', str(tmp_path / 'none'),
                                     '--out', str(tmp_path / 'out.safetensors'), '--steps', '3'])
    with pytest.raises(SystemExit, match=r'^error: there is no weights file .*none$'):
        pretrain_single.main()
