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

"""M-DepthNet and TrustNet learn beside a frozen S-DepthNet, matching as the robot does."""

from mdepth_ros.config import lite_config
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.stage0.pair_pool import PairPool
from mdepth_ros.training.stage0.pretrain_matching import solve_as_the_robot, step_losses
import numpy as np
import pytest
import torch


@pytest.fixture(scope='module')
def batch():
    pool = PairPool((160, 96), 4)
    for seed in (500_000_009, 500_000_010):
        pool.grow(seed)
    return pool.draw(2, np.random.default_rng(0))


@pytest.mark.parametrize('units', [1.0, 3.0])
def test_exact_depth_gives_the_true_motion_in_its_units(batch, units):
    torch.manual_seed(0)
    T, scale = solve_as_the_robot(units * batch.depth.clamp(max=80.0), batch)
    assert (scale.flatten() / units - 1).abs().mean() < 0.05
    for solved, truth in zip(T, batch.T_source_target):
        away = solved[:3, 3] / units - truth[:3, 3]
        assert away.norm() < 0.1 * truth[:3, 3].norm() + 0.01
        assert (solved[:3, :3] - truth[:3, :3]).abs().max() < 5e-3


def test_each_part_learns_from_its_own_loss(batch):
    torch.manual_seed(0)
    model = DepthModel(lite_config())
    model.requires_grad_(False)
    for part in (model.multi, model.trust):
        part.train().requires_grad_(True)
    losses = step_losses(model, batch)
    losses.trust.backward(retain_graph=True)
    assert model.trust.correct.last.weight.grad.any()
    assert all(p.grad is None or not p.grad.any() for p in model.multi.parameters())
    losses.multi.backward()
    assert model.multi.feature_net.out.weight.grad.any()
    assert all(p.grad is None for p in [*model.single.parameters(), *model.pose.parameters()])


def test_trust_net_learns_where_the_depth_is_wrong(batch):
    """Its own loss falls on a batch that it sees again and again, and the blend gets no worse."""
    torch.manual_seed(0)
    model = DepthModel(lite_config())
    model.multi.eval()
    model.trust.requires_grad_(True)
    optimiser = torch.optim.Adam(model.trust.parameters(), lr=3e-3)
    losses = []
    for _ in range(15):
        torch.manual_seed(1)  # the same points, the same noise
        step = step_losses(model, batch)
        losses.append(step)
        optimiser.zero_grad()
        step.trust.backward()
        optimiser.step()
    assert losses[-1].trust < losses[0].trust - 0.1
    assert losses[-1].change <= losses[0].change + 0.02
