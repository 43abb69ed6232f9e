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

"""Learning a given depth: only S-DepthNet does, by its confidence, whatever its scale."""

import copy

from mdepth_ros.networks.canonical import to_depth
from mdepth_ros.networks.checkpoint import load_checkpoint
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.loop.trainer import train
from mdepth_ros.training.samples.taught_samples import TaughtBatch
from mdepth_ros.training.stages.distil import DistilObjective, step_error
from mdepth_ros.training.stages.step_random import StepRandom
import pytest
from runs import make_recipe, read_losses, tiny_model, tiny_start
import torch

pytestmark = pytest.mark.usefixtures('in_torch')

RANDOM = StepRandom(0, 0)


def batch(log_depth=None, weight=None):
    torch.manual_seed(1)
    frames = torch.randint(0, 256, (2, 1, 3, 64, 64), dtype=torch.uint8)
    K = torch.diag(torch.tensor([60.0, 60.0, 1.0])).repeat(2, 1, 1)
    return TaughtBatch(frames, K,
                       torch.rand(2, 1, 64, 64) if log_depth is None else log_depth,
                       torch.ones(2, 1, 64, 64) if weight is None else weight)


def own_log_depth(model, batch):
    with torch.no_grad():
        disparity = model.single(batch.frames[:, 0].float() / 255).disparity
        return to_depth(disparity, model.config, batch.K).log()


def test_only_the_single_frame_network_learns():
    model = tiny_model()
    before = copy.deepcopy(model.state_dict())
    objective = DistilObjective(model).train()
    objective(batch(), RANDOM).loss.backward()
    assert all(p.grad is not None for p in model.single.parameters())
    for part in (model.pose, model.multi, model.trust):
        assert not any(p.requires_grad for p in part.parameters())
    rest = {name: x for name, x in model.state_dict().items() if not name.startswith('single.')}
    assert all(torch.equal(x, before[name]) for name, x in rest.items())


def test_its_own_depth_costs_nothing_and_a_factor_little():
    model = tiny_model().eval()
    own = own_log_depth(model, batch())
    objective = DistilObjective(model)
    objective.eval()
    assert float(objective(batch(own), RANDOM).loss) == pytest.approx(0, abs=1e-5)
    terms = objective(batch(own + 0.7), RANDOM).terms
    assert float(terms['shape']) == pytest.approx(0, abs=1e-5)
    assert float(terms['edges']) == pytest.approx(0, abs=1e-5)
    assert float(terms['scale']) == pytest.approx(0.7, abs=1e-4)


def test_what_has_no_weight_does_not_count():
    model = tiny_model().eval()
    log_depth, weight = torch.rand(2, 1, 64, 64), torch.ones(2, 1, 64, 64)
    weight[..., :32] = 0
    wild = log_depth.clone()
    wild[..., :32] += 3 * torch.rand(2, 1, 64, 32)
    objective = DistilObjective(model).eval()
    one, other = (objective(batch(x, weight), RANDOM).terms for x in (log_depth, wild))
    assert float(one['shape']) == pytest.approx(float(other['shape']), rel=1e-5)
    assert float(one['edges']) == pytest.approx(float(other['edges']), rel=1e-5)
    assert float(one['scale']) == pytest.approx(float(other['scale']), rel=1e-5)
    nothing = objective(batch(log_depth, torch.zeros_like(weight)), RANDOM)
    assert nothing.loss.isfinite()


def test_steps_by_hand():
    """A step of 2 between the halves: for 4 of 60 columns the pixels lie on both sides."""
    error = torch.zeros(1, 1, 64, 64)
    error[..., 32:] = 2.0
    assert float(step_error(error, torch.ones_like(error))) == pytest.approx(2.0 * 4 / 60)


def test_a_run_learns_and_can_be_repeated(rendered_folder, tmp_path):
    recipe = make_recipe(rendered_folder, tiny_start(tmp_path), rounds=2,
                         distil=Schedule(12, rate=1e-3))
    result = train(recipe, tmp_path / 'run')
    lines = read_losses(tmp_path / 'run')
    losses = [line['loss'] for line in lines if line['stage'] == 'distil-1']
    assert sum(losses[-4:]) < 0.7 * sum(losses[:4])
    assert {line['stage'] for line in lines} == {'distil-1', 'distil-2'}
    start, trained = load_checkpoint(tmp_path / 'start.safetensors'), load_checkpoint(result)
    for name, x in start.multi.state_dict().items():
        assert torch.equal(x, trained.multi.state_dict()[name])
    again = load_checkpoint(train(recipe, tmp_path / 'again'))
    assert all(torch.allclose(x, again.state_dict()[name])
               for name, x in trained.state_dict().items())
