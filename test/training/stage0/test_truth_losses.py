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

"""What the parts of stage 0 share: ratios, edges and sky, and the matching's own loss."""

from mdepth_ros.training.stage0.truth_losses import (
    edge_and_sky_loss,
    log_error,
    mean_of_each,
    median_ratio,
    multi_frame_loss,
)
import numpy as np
import pytest
import torch

INF = torch.inf


def test_errors_are_of_what_is_near_enough_alone():
    truth = torch.tensor([[[[2.0, 4.0, 100.0, INF]]], [[[INF, INF, 90.0, INF]]]])
    depth = torch.tensor([[[[4.0, 4.0, 1.0, 1.0]]], [[[1.0, 1.0, 1.0, 1.0]]]])
    error, valid = log_error(depth, truth)
    assert error[0, 0, 0].tolist() == pytest.approx([np.log(2), 0, 0, 0])
    assert valid.sum(dim=(1, 2, 3)).tolist() == [2, 0]
    assert mean_of_each(error, valid).tolist() == pytest.approx([np.log(2) / 2, 0])
    assert median_ratio(depth, truth).tolist() == [1.0, 1.0]


def test_edges_do_not_know_the_scale():
    truth = 2 + 20 * torch.rand(2, 1, 32, 64, generator=torch.Generator().manual_seed(0))
    depth = truth * torch.linspace(0.8, 1.2, 64)
    loss = edge_and_sky_loss(depth, truth)
    assert loss > 0.01
    assert edge_and_sky_loss(3 * depth, truth) == pytest.approx(float(loss), rel=1e-4)
    assert edge_and_sky_loss(3 * truth, truth) == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize('far', [INF, 300.0])
def test_a_near_sky_or_horizon_costs_by_hand(far):
    sky = torch.full((1, 1, 8, 8), far)
    assert edge_and_sky_loss(torch.full_like(sky, 20.0), sky) == pytest.approx(0.2 * np.log(4))
    assert edge_and_sky_loss(torch.full_like(sky, 200.0), sky) == 0.0


def test_multi_frame_loss_is_least_at_the_truth():
    hypotheses = 1 / torch.linspace(0.05, 0.5, 16).view(1, 16, 1, 1).expand(1, 16, 4, 4)
    exact = hypotheses[:, 5:6].repeat_interleave(4, 2).repeat_interleave(4, 3)
    sure = torch.zeros(1, 16, 4, 4)
    sure[:, 5] = 1.0
    unsure = torch.full((1, 16, 4, 4), 1 / 16)
    assert multi_frame_loss(exact, sure, hypotheses, exact) == pytest.approx(0.0, abs=1e-5)
    assert multi_frame_loss(exact, unsure, hypotheses, exact) == pytest.approx(
        0.1 * np.log(16), rel=1e-4)
    assert multi_frame_loss(1.1 * exact, sure, hypotheses, exact) == pytest.approx(
        np.log(1.1), rel=1e-4)
