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

"""What frames agree on is averaged; what has changed is taken as it is."""

import math

from exact_depth import K, moving_camera, plane, STILL
from mdepth_ros.engine.depth_filter import DepthFilter, KEPT
import pytest
import torch

SURE = torch.full((1, 1, 64, 128), 0.8)


def log_change(depth, other):
    return (depth / other).log()


def test_exact_depth_of_a_moving_camera_stays():
    averaged = DepthFilter()
    for depth, K_room, motion in moving_camera():
        error = log_change(averaged(depth, SURE, K_room, motion), depth).abs()
        # Every fourth pixel is compared: where one lies on an edge, its neighbours suffer.
        assert error.median() < 0.002
        assert error.mean() < 0.01


def test_independent_errors_shrink_as_theory_says():
    """A first-order filter of white noise: variance (1 - kept) / (1 + kept)."""
    random, averaged = torch.Generator().manual_seed(0), DepthFilter()
    before, after = [], []
    for _ in range(600):
        noisy, noise = plane(4.0), 0.02 * torch.randn((), generator=random)
        noisy[..., :48] *= noise.exp()  # less than half of the picture: its level stays
        left = log_change(averaged(noisy, SURE, K, STILL), plane(4.0))
        before.append(noise)
        after.append(left[0, 0, 32, 20])
    ratio = torch.stack(after[20:]).square().mean() / torch.stack(before[20:]).square().mean()
    assert float(ratio) == pytest.approx((1 - KEPT) / (1 + KEPT), rel=0.2)


def test_the_overall_scale_is_left_alone():
    averaged = DepthFilter()
    averaged(plane(2.0), SURE, K, None)
    assert torch.allclose(averaged(plane(3.0), SURE, K, STILL), plane(3.0))


def test_what_moves_is_as_it_was_seen_last():
    averaged, depth = DepthFilter(), plane(8.0)
    averaged(depth.clone(), SURE, K, None)
    depth[..., 20:40, 40:60] = 4.0  # someone stepped into the picture
    now = averaged(depth.clone(), SURE, K, STILL)
    assert log_change(now, depth).abs().max() < 0.01


@pytest.mark.parametrize(('before', 'now', 'share'), [
    (0.9, 0.3, 0.97), (0.5, 0.5, KEPT / (1 + KEPT)), (0.3, 0.9, 0.02)])
def test_the_surer_frame_counts_more(before, now, share):
    """Inverse variances weigh, those of the frame before a little less."""
    averaged, bent = DepthFilter(), plane(4.0)
    bent[..., 80:] *= math.exp(0.02)
    averaged(bent, torch.full_like(SURE, before), K, None)
    mean = averaged(plane(4.0), torch.full_like(SURE, now), K, STILL)
    assert float(log_change(mean, plane(4.0))[0, 0, 32, 100]) == pytest.approx(
        0.02 * share, abs=4e-4)


def test_what_was_known_is_carried_along():
    """Ten pixels to the left, as the camera moves to the right."""
    averaged, bumpy, motion = DepthFilter(), plane(4.0), STILL.clone()
    bumpy[..., 20:44, 60:84] *= math.exp(0.1)
    averaged(bumpy, torch.full_like(SURE, 0.95), K, None)
    motion[0, 0, 3] = 0.4
    known = log_change(averaged(plane(4.0), torch.full_like(SURE, 0.1), K, motion), plane(4.0))
    assert known[..., 26:38, 56:68].min() > 0.08
    assert known[..., :38].abs().max() < 0.01
    assert known[..., 88:].abs().max() < 0.01


def test_what_is_known_stays_in_its_place():
    averaged, bumpy = DepthFilter(), plane(4.0)
    x, y = torch.meshgrid(torch.arange(128.0), torch.arange(64.0), indexing='xy')
    bump = 0.1 * (-((x - 60) ** 2 + (y - 30) ** 2) / 128).exp()
    averaged(bumpy * bump.exp(), torch.full_like(SURE, 0.95), K, None)
    for _ in range(8):
        left = log_change(averaged(plane(4.0), torch.full_like(SURE, 0.05), K, STILL), plane(4.0))
    assert float((x * left).sum() / left.sum()) == pytest.approx(60, abs=0.05)
    assert float((y * left).sum() / left.sum()) == pytest.approx(30, abs=0.05)


@pytest.mark.parametrize('broken', [math.nan, math.inf, 0.0])
def test_what_is_no_depth_harms_its_own_pixel_only(broken):
    averaged, holed = DepthFilter(), plane(4.0)
    holed[..., 30, 30] = broken
    unsure = SURE.clone()
    unsure[..., 50, 50] = math.nan
    averaged(holed, unsure, K, None)
    for _ in range(3):
        assert torch.allclose(averaged(plane(4.0), SURE, K, STILL), plane(4.0))


@pytest.mark.parametrize(('rate', 'lag'), [(0.02, 0.075), (0.05, 0.1), (0.1, 0.125)])
def test_what_comes_nearer_lags_a_little(rate, lag):
    averaged, depth = DepthFilter(), plane(8.0)
    for _ in range(15):
        depth[..., 20:40, 40:60] *= 1 - rate
        behind = log_change(averaged(depth.clone(), SURE, K, STILL), depth)
        assert -1e-3 < float(behind[0, 0, 30, 50]) < lag


def test_another_view_starts_anew():
    averaged, bent = DepthFilter(), plane(4.0)
    bent[..., 40:] *= 1.1
    averaged(bent, SURE, K, None)
    assert torch.equal(averaged(plane(4.0), SURE, K, None), plane(4.0))
    averaged(bent, SURE, K, None)
    averaged.reset()
    assert torch.equal(averaged(plane(4.0), SURE, K, STILL), plane(4.0))
    averaged(bent, SURE, K, None)
    turned = torch.diag(torch.tensor([-1.0, 1.0, -1.0, 1.0]))[None]
    assert torch.equal(averaged(plane(4.0), SURE, K, turned), plane(4.0))  # nothing was seen
