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

"""Unexplained change of depth against closed forms."""

from mdepth_ros.training.robustness.steadiness import motion_between, unexplained_change
import numpy as np
import pytest

H, W = 24, 32
K = np.array([[30.0, 0, 15.5], [0, 30, 11.5], [0, 0, 1]])
ALL = np.ones((H, W), dtype=bool)


def plane(depth):
    return np.full((H, W), depth, dtype=np.float32)


def forward(metres):
    """Motion of points into the frame before, from which the camera went forward."""
    T = np.eye(4)
    T[2, 3] = metres
    return T


def rendered_pair(rendered):
    depths = rendered.depth[[3, 4], 0].numpy()
    before, now = rendered.T_world_camera[[3, 4]].double().numpy()
    return *depths, rendered.K.double().numpy(), motion_between(now, before)


def test_depth_in_any_unit_is_steady(rendered):
    before, now, K_, T = rendered_pair(rendered)
    static = np.ones_like(now, dtype=bool)
    assert np.linalg.norm(T[:3, 3]) > 0.005
    assert unexplained_change(3 * now, 3 * before, now, before, static, K_, T) < 1e-6
    change = unexplained_change(3 * now, 3.3 * before, now, before, static, K_, T)
    assert change == pytest.approx(np.log(1.1), rel=1e-5)


def test_depth_that_does_not_follow_the_motion():
    # From 10 m to 9 m before a wall; the estimate stays where it was.
    truth, before = plane(9), plane(10)
    stays = unexplained_change(plane(10), plane(10), truth, before, ALL, K, forward(1))
    assert stays == pytest.approx(np.log(10 / 9), rel=1e-5)
    # What the motion does not bring to where the wall was is no point of it.
    assert unexplained_change(plane(9), plane(10), truth, before, ALL, K, np.eye(4)) is None
    follows = unexplained_change(plane(9), plane(10), truth, before, ALL, K, forward(1))
    assert follows == pytest.approx(0, abs=1e-6)


def test_moving_objects_do_not_count():
    depth = plane(10)
    depth[:, :20] = 5
    assert unexplained_change(depth, plane(10), plane(10), plane(10), ALL, K, np.eye(4)) > 0.6
    static = ALL.copy()
    static[:, :20] = False
    assert unexplained_change(depth, plane(10), plane(10), plane(10), static, K, np.eye(4)) == 0


def test_what_was_hidden_does_not_count():
    # Something stood before two thirds of the wall.
    before = plane(10)
    before[:, :20] = 2
    assert unexplained_change(plane(10), before, plane(10), before, ALL, K, np.eye(4)) == 0
    wrong_there = before.copy()
    wrong_there[:, :20] = 7
    assert unexplained_change(plane(10), wrong_there, plane(10), before, ALL, K, np.eye(4)) == 0


def test_missing_depth_and_sky_do_not_count():
    depth, truth = plane(10), plane(10)
    depth[:8], truth[8:12], truth[12:16] = np.nan, np.nan, np.inf
    change = unexplained_change(depth, plane(11), truth, plane(10), ALL, K, np.eye(4))
    assert change == pytest.approx(np.log(1.1), rel=1e-5)


def test_nothing_in_common():
    back = np.diag([-1.0, 1.0, -1.0, 1.0])
    assert unexplained_change(plane(10), plane(10), plane(10), plane(10), ALL, K, back) is None
    unknown = plane(np.nan)
    assert unexplained_change(plane(10), plane(10), unknown, plane(10), ALL, K, np.eye(4)) is None


def test_motion_between_two_poses():
    T_before, T_now = np.eye(4), np.eye(4)
    T_now[:3, 3] = 0, 0, 2
    point = motion_between(T_now, T_before) @ [1, 1, 3, 1]
    assert point == pytest.approx([1, 1, 5, 1])
