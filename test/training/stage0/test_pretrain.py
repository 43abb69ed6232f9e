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

"""Stage 0 of all three networks: their start, their pairs, their losses by hand."""

import argparse

from mdepth_ros.config import lite_config
from mdepth_ros.geometry.intrinsics import invert_intrinsics
from mdepth_ros.geometry.pose import motion_from_parameters
from mdepth_ros.geometry.projection import warp
from mdepth_ros.networks.checkpoint import load_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.stage0 import pretrain
from mdepth_ros.training.stage0.from_imagenet import keep_early_layers
from mdepth_ros.training.stage0.pair_pool import PairPool
from mdepth_ros.training.stage0.pretrain import (
    motion_loss,
    scale_invariant_loss,
    step_losses,
)
import numpy as np
import pytest
import torch


@pytest.fixture(scope='module')
def pool():
    pool = PairPool((128, 64), capacity=4)
    for seed in range(6):
        pool.grow(seed)
    return pool


def truth():
    depth = 2 + 20 * torch.rand(2, 1, 32, 64, generator=torch.Generator().manual_seed(0))
    depth[:, :, :8] = torch.inf
    return depth


def test_the_pool_forgets_the_oldest(pool):
    assert len(pool) == 4


def test_pairs_agree_with_their_truth_mirrored_or_not(pool):
    # Colours differ a little between the frames of a pair, so the warp is compared with none.
    better = 0
    for seed in range(8):
        batch = pool.draw(4, np.random.default_rng(seed))
        finite = batch.depth.clamp(max=1000.0)
        warped, valid = warp(batch.source, finite, batch.K, invert_intrinsics(batch.K),
                             batch.T_source_target)
        with_truth = ((warped - batch.target).abs() * valid).mean()
        without = ((batch.source - batch.target).abs() * valid).mean()
        better += bool(with_truth < 0.6 * without)
    assert better >= 7


def test_single_frame_loss_knows_nearly_no_scale():
    # lambda 0.85 leaves a little of the scale in; the rest is zero for exact ratios.
    exact = truth().clamp(max=100.0)
    right, scaled, shuffled = (scale_invariant_loss(depth, truth())
                               for depth in (exact, 1.5 * exact, exact.flip(-1)))
    assert right < 0.01
    assert scaled == pytest.approx(0.15 ** 0.5 * np.log(1.5), abs=0.01)
    assert shuffled > 3 * scaled


def test_sky_is_pushed_away_but_never_too_far():
    depth = truth().clamp(max=100.0)
    near_sky = torch.where(truth().isinf(), 20.0, depth)
    assert scale_invariant_loss(near_sky, truth()) > scale_invariant_loss(depth, truth()) + 0.05
    far_sky = torch.where(truth().isinf(), 100.0, depth)
    assert scale_invariant_loss(far_sky, truth()) < 0.01


def test_motion_loss_by_hand():
    # At 10 m a shift of 0.1 m with fx = 40 moves a pixel by 0.4, of 64: 0.625 hundredths.
    K = torch.tensor([[[40.0, 0.0, 31.5], [0.0, 40.0, 15.5], [0.0, 0.0, 1.0]]])
    zero, shift = torch.zeros(1, 3), torch.tensor([[0.1, 0.0, 0.0]])
    still, moved = motion_from_parameters(zero, zero), motion_from_parameters(zero, shift)
    depth = torch.full((1, 1, 32, 64), 10.0)
    assert motion_loss(moved, moved, depth, K) == pytest.approx(100 * 4 / 64 * 0.01, abs=1e-3)
    assert motion_loss(still, moved, depth, K) == pytest.approx(0.625, rel=0.02)


def test_no_usable_pixel_costs_no_motion():
    """All are far outside the image, or behind the camera."""
    K = torch.tensor([[[40.0, 0.0, 31.5], [0.0, 40.0, 15.5], [0.0, 0.0, 1.0]]])
    zero = torch.zeros(1, 3)
    depth = torch.full((1, 1, 32, 64), 1.0)
    for t in ([[100.0, 0.0, 0.0]], [[0.0, 0.0, -5.0]]):
        true = motion_from_parameters(zero, torch.tensor(t))
        predicted = motion_from_parameters(zero, zero).requires_grad_()
        loss = motion_loss(predicted, true, depth, K)
        loss.backward()
        assert loss == 0
        assert not predicted.grad.any()


def test_a_step_reaches_all_that_should_learn(pool):
    torch.manual_seed(0)
    model = DepthModel(lite_config()).train()
    keep_early_layers(model.single.encoder)
    losses = step_losses(model, pool.draw(3, np.random.default_rng(0)), np.random.default_rng(0))
    losses.total.backward()
    silent = [name for name, p in model.named_parameters()
              if p.requires_grad and (p.grad is None or not p.grad.abs().sum() > 0)]
    # The second of the decoder's two motions is never used, but shares its layers.
    assert not silent
    assert all(p.grad is None for p in model.single.encoder._conv_stem.parameters())


def test_networks_start_alike_in_all_processes(tmp_path, monkeypatch):
    """Only gradients are averaged: networks that differed would pull each other astray."""
    for name, value in {'RANK': '0', 'WORLD_SIZE': '1', 'MASTER_ADDR': '127.0.0.1',
                        'MASTER_PORT': '0'}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(pretrain, 'SIZES', ((64, 64),))
    monkeypatch.setattr(pretrain, 'BATCH', 1)
    threads = torch.get_num_threads()
    starts = []
    for process in range(2):
        torch.manual_seed(process)  # chosen by chance in a new process
        out = tmp_path / f'{process}.safetensors'
        pretrain.train(argparse.Namespace(stage='pretrain', out=out, steps=0, rate=1e-3, first=1,
                                          grow_every=1, seed=5, photographs=None))
        starts.append(load_checkpoint(out).state_dict())
    torch.set_num_threads(threads)
    assert all(torch.equal(x, starts[1][name]) for name, x in starts[0].items())
