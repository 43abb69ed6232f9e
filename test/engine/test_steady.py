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

"""Jumps are taken out, motion is not."""

import itertools
import math

from exact_depth import K, moving_camera, plane, STILL
from mdepth_ros.engine.steady import FORGETTING_S, LONGEST_S, SteadyDepth
from mdepth_ros.geometry.intrinsics import invert_intrinsics
from mdepth_ros.geometry.projection import backproject
import numpy as np
import pytest
import torch

PERIOD_S = 0.1


def sphere(radius):
    """Depth of a ball seen from its middle: the same, however the camera turns."""
    rays = backproject(plane(1.0), invert_intrinsics(K))
    return radius / rays.norm(dim=1, keepdim=True)


def factor_of(steady, depth, K, T, elapsed_s, single=None):
    return steady(depth, depth if single is None else single, K, T, elapsed_s)


def given_depth(steady, depth, K, T):
    return depth * factor_of(steady, depth, K, T, PERIOD_S)


def test_a_jump_becomes_steps_that_end_at_the_depth():
    steady = SteadyDepth()
    depths = [4.0] * 3 + [5.0] * 300
    given = [float(given_depth(steady, plane(z), K, STILL).median()) for z in depths]
    ratios = [b / a for a, b in itertools.pairwise(given)]
    assert max(ratios) < 1.022
    assert given[:3] == pytest.approx([4.0] * 3)
    after_a_while = 3 + round(FORGETTING_S / PERIOD_S) - 1
    assert given[after_a_while] == pytest.approx(5 * (4 / 5) ** math.exp(-1), rel=1e-3)
    assert given[-1] == pytest.approx(5.0, rel=2e-3)


@pytest.mark.parametrize('period_s', [0.033, 0.1, 0.3])
def test_a_network_that_draws_near_things_larger_does_not_carry_the_scale_off(period_s):
    """Depth to the power of 0.9: every step towards the wall is 'unexplained' a little."""
    steady, forward, speed = SteadyDepth(), torch.eye(4)[None].clone(), 5.0
    z = 100.0
    while z > 4:
        drawn = z ** 0.9
        forward[0, 2, 3] = speed * period_s * drawn / z
        factor = factor_of(steady, plane(drawn), K, forward, period_s)
        z -= speed * period_s
        assert factor == pytest.approx(1, abs=0.12)


@pytest.mark.parametrize('period_s', [0.033, 0.1])
def test_what_looks_like_a_jump_at_every_frame_leaves_the_scale_alone(period_s):
    """A network that draws what comes nearer too far away; the picture moves, too."""
    steady, motion = SteadyDepth(), torch.eye(4)[None].clone()
    # 60 % of the width and 12 % of the depth in a second.
    motion[0, 0, 3], motion[0, 2, 3] = 3 * period_s, 0.5 * period_s
    factors = [factor_of(steady, plane(4.0), K, motion, period_s)
               for _ in range(round(60 / period_s))]
    assert min(factors) > 2 / 3
    assert factors[-1] == pytest.approx(1, abs=0.04)


def test_jumps_while_the_camera_moves_aside_are_no_drift():
    steady, aside, given = SteadyDepth(), torch.eye(4)[None].clone(), []
    for log_depth in np.random.default_rng(0).normal(0.03, 0.1, 30).cumsum().tolist():
        depth = math.exp(log_depth)
        aside[0, 0, 3] = 0.15 * depth
        given.append(float(given_depth(steady, plane(depth), K, aside).median()))
    assert np.abs(np.diff(np.log(given))).max() < 0.02


def test_what_becomes_of_the_background_is_no_jump():
    """The depth of the sky doubles, that of the rest changes by -10 to 10 % from left to right."""
    def street(sky, change):
        depth = plane(4.0)
        depth *= torch.linspace(-change, change, depth.shape[-1]).exp()
        depth[..., :depth.shape[-2] * 9 // 20, :] = sky
        return depth
    steady = SteadyDepth()
    factor_of(steady, street(20.0, 0.0), K, STILL, PERIOD_S)
    assert factor_of(steady, street(40.0, 0.1), K, STILL, PERIOD_S) == pytest.approx(1, abs=0.01)


def test_driving_towards_a_wall_is_no_jump():
    steady, forward = SteadyDepth(), torch.eye(4)[None].clone()
    forward[0, 2, 3] = 0.5  # the wall was half a metre farther from the frame before
    for z in (10.0, 9.5, 9.0, 8.5, 8.0):
        assert factor_of(steady, plane(z), K, forward, PERIOD_S) == pytest.approx(1, abs=1e-5)


def test_exact_depth_of_a_moving_camera_stays():
    steady = SteadyDepth()
    for depth, K_room, motion in moving_camera():
        assert factor_of(steady, depth, K_room, motion, PERIOD_S) == pytest.approx(1, abs=0.005)


def test_another_view_starts_afresh():
    steady = SteadyDepth()
    factor_of(steady, plane(2.0), K, None, PERIOD_S)
    assert factor_of(steady, plane(20.0), K, None, PERIOD_S) == 1
    steady.reset()
    assert factor_of(steady, plane(3.0), K, STILL, PERIOD_S) == 1
    turned = torch.tensor([[[-1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 0], [0, 0, 0, 1]]])
    assert factor_of(steady, plane(9.0), K, turned, PERIOD_S) == 1  # nothing of it was seen before


def test_a_learned_drift_does_not_come_through_when_the_camera_turns():
    steady, forward = SteadyDepth(), torch.eye(4)[None].clone()
    forward[0, 2, 3] = 0.3
    for _ in range(60):
        before = factor_of(steady, sphere(4.0), K, forward, PERIOD_S)  # no nearer: a drift
    assert before < 0.95
    turn, angle = torch.eye(4)[None].clone(), math.radians(15)
    turn[0, ::2, ::2] = torch.tensor([[math.cos(angle), math.sin(angle)],
                                      [-math.sin(angle), math.cos(angle)]])
    assert factor_of(steady, sphere(4.0), K, turn, 0.0) == pytest.approx(before, rel=1e-3)


def test_a_jump_while_the_camera_stands_is_no_drift():
    steady, forward = SteadyDepth(), torch.eye(4)[None].clone()
    factor_of(steady, plane(4.0), K, STILL, PERIOD_S)
    jumped = factor_of(steady, plane(5.0), K, STILL, 0.0)
    forward[0, 2, 3] = 0.03
    wall = [5.0 - 0.03 * i for i in range(1, 81)]
    factors = [jumped, *(factor_of(steady, plane(z), K, forward, PERIOD_S) for z in wall)]
    expected = [jumped ** math.exp(-PERIOD_S * i / FORGETTING_S) for i in range(len(factors))]
    assert factors == pytest.approx(expected, abs=1e-3)


def test_where_the_motion_is_lost_it_goes_on_from_the_single_frame_depth():
    steady, single = SteadyDepth(), plane(5.0)
    factor_of(steady, plane(4.0), K, None, PERIOD_S, single)
    assert factor_of(steady, plane(5.0), K, None, 0.0, single) == pytest.approx(4 / 5)
    assert factor_of(steady, plane(8.0), K, None, 0.0, plane(8.0)) == pytest.approx(4 / 5)
    assert factor_of(steady, plane(4.4), K, None, 0.0, plane(5.5)) == pytest.approx(1)
    late = factor_of(steady, plane(5.0), K, None, FORGETTING_S, single)
    assert late == pytest.approx((4 / 5) ** math.exp(-1))


def test_after_a_pause_in_which_nothing_moved_nothing_jumps():
    steady = SteadyDepth()
    factor_of(steady, plane(4.0), K, STILL, PERIOD_S)
    before = factor_of(steady, plane(5.0), K, STILL, PERIOD_S)
    after = factor_of(steady, plane(5.0), K, STILL, 8.0)
    assert after == pytest.approx(before ** math.exp(-LONGEST_S / FORGETTING_S))


@pytest.mark.parametrize('share', [0.4, 0.7])
def test_what_moves_in_less_than_half_of_the_picture_is_no_jump(share):
    """A truck drives up to a standing camera, in a share of what is not sky."""
    steady, factors = SteadyDepth(), []
    for z in np.linspace(6.0, 2.0, 20).tolist():
        depth = plane(8.0)
        height, width = depth.shape[-2:]
        depth[..., round(0.4 * height):, :round(share * width)] = z
        depth[..., :round(0.4 * height), :] = 100.0
        factors.append(factor_of(steady, depth, K, STILL, PERIOD_S))
    assert factors == pytest.approx([1.0] * len(factors))


def test_depth_is_never_changed_by_more_than_a_factor_of_two():
    steady = SteadyDepth()
    factors = [factor_of(steady, plane(4.0 * 1.2 ** i), K, STILL, PERIOD_S) for i in range(12)]
    assert min(factors) == 0.5


def test_what_matching_brings_is_no_drift():
    """Single-frame and matched depth take turns, of a wall that comes nearer as it should."""
    steady, forward = SteadyDepth(), torch.eye(4)[None].clone()
    for i in range(60):
        z = 10.0 - 0.1 * i
        matched = 1.0 if i % 4 else 1.3  # above the single-frame depth
        forward[0, 2, 3] = 0.1 * matched
        factor_of(steady, plane(matched * z), K, forward if i % 4 else None, 0.0, plane(z))
    assert steady._drift == pytest.approx(0, abs=1e-3)


def test_what_is_no_depth_leaves_the_scale_alone():
    steady = SteadyDepth()
    for depth in (4.0, math.nan, math.inf, 4.0):
        assert factor_of(steady, plane(depth), K, None, PERIOD_S, plane(4.0)) == 1
