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

from mdepth_ros.networks.hypotheses import (
    depth_hypotheses,
    downsample_nearest,
    observed_ratio,
    resize_delta,
    update_delta,
)
import pytest
import torch


@pytest.fixture
def single_depth():
    return 1 + 20 * torch.rand(2, 1, 4, 6, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def delta():
    return torch.rand(1, 1, 4, 6, generator=torch.Generator().manual_seed(1))


def test_far_end_first_and_bounds_are_the_papers(single_depth, delta):
    hypotheses = depth_hypotheses(single_depth, delta, 16)
    assert hypotheses.shape == (2, 16, 4, 6)
    torch.testing.assert_close(hypotheses[:, :1], single_depth * (1 + delta))
    torch.testing.assert_close(hypotheses[:, -1:], single_depth / (1 + delta))
    assert bool((hypotheses.diff(dim=1) <= 0).all())


def test_uniform_in_inverse_depth(single_depth, delta):
    steps = (1 / depth_hypotheses(single_depth, delta, 16)).diff(dim=1)
    torch.testing.assert_close(steps, steps[:, :1].expand_as(steps), rtol=1e-3, atol=1e-6)


def test_no_width_gives_the_single_frame_depth(single_depth, delta):
    hypotheses = depth_hypotheses(single_depth, torch.zeros_like(delta), 8)
    torch.testing.assert_close(hypotheses, single_depth.expand_as(hypotheses))


def test_scale_equivariant(single_depth, delta):
    torch.testing.assert_close(depth_hypotheses(3 * single_depth, delta, 16),
                               3 * depth_hypotheses(single_depth, delta, 16))


def test_refuses_other_shapes(single_depth, delta):
    with pytest.raises(ValueError, match=r'single_depth must be \(B, 1, h, w\), got \(4, 6\)'):
        depth_hypotheses(single_depth[0, 0], delta, 16)
    with pytest.raises(ValueError, match=r'delta must be \(1, 1, 4, 6\), got \(1, 1, 4, 5\)'):
        depth_hypotheses(single_depth, delta[..., :5], 16)
    with pytest.raises(ValueError, match='count must be at least 2, got 1'):
        depth_hypotheses(single_depth, delta, 1)


def test_update_follows_the_papers_rule_by_hand():
    single = torch.full((2, 1, 2, 2), 4.0)
    multi = torch.tensor([4.0, 2.0]).view(2, 1, 1, 1).expand(2, 1, 2, 2)
    # The second image's ratio is 2, so the observation is 1.2 * (2 - 1).
    updated = update_delta(torch.full((1, 1, 2, 2), 0.5), observed_ratio(multi, single, 2, 2))
    torch.testing.assert_close(updated, torch.full((1, 1, 2, 2), 0.99 * 0.5 + 0.01 * 1.2))


def test_update_treats_nearer_and_farther_alike(single_depth, delta):
    h, w = delta.shape[2:]
    torch.testing.assert_close(observed_ratio(1.3 * single_depth, single_depth, h, w),
                               observed_ratio(single_depth / 1.3, single_depth, h, w))


def test_agreement_lets_the_width_decay(single_depth, delta):
    ratio = observed_ratio(single_depth, single_depth, *delta.shape[2:])
    torch.testing.assert_close(update_delta(delta, ratio), 0.99 * delta)


def test_update_accepts_full_resolution_and_leaves_no_gradient(delta):
    depth = torch.rand(3, 1, 16, 24, requires_grad=True)
    updated = update_delta(delta, observed_ratio(depth + 1, depth + 2, *delta.shape[2:]))
    assert updated.shape == delta.shape
    assert not updated.requires_grad


def test_update_refuses_unlike_batches(delta):
    with pytest.raises(ValueError, match=r'single_depth must be \(2, 1, H, W\), got \(1, 1'):
        observed_ratio(torch.ones(2, 1, 4, 6), torch.ones(1, 1, 4, 6), *delta.shape[2:])


def test_resized_width_keeps_constants(delta):
    assert resize_delta(delta, 4, 6) is delta
    resized = resize_delta(torch.full((1, 1, 4, 6), 0.3), 7, 9)
    torch.testing.assert_close(resized, torch.full((1, 1, 7, 9), 0.3))


def test_nearest_downsampling_invents_no_depth():
    depth = torch.rand(1, 1, 8, 8)
    small = downsample_nearest(depth, 2, 2)
    assert torch.isin(small, depth).all()
    assert torch.equal(downsample_nearest(depth, 8, 8), depth)
