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

import math

from camera_messages import odometry, ROS2
from hypothesis import given, settings
from hypothesis import strategies as st
from mdepth_ros.training.prepare.odometry_pose import pose_between, pose_of
from mdepth_ros.training.prepare.readings import Readings
import numpy as np
import pytest


def pose(position=(0.0, 0.0, 0.0), quaternion=(0.0, 0.0, 0.0, 1.0)):
    return pose_of(odometry(ROS2, 0, position, quaternion))


def turned(degrees, axis=2):
    quaternion = [0.0, 0.0, 0.0, math.cos(math.radians(degrees) / 2)]
    quaternion[axis] = math.sin(math.radians(degrees) / 2)
    return quaternion


@pytest.mark.parametrize(('axis', 'mapped'), [(0, [0, 0, 1]), (2, [-1, 0, 0])])
def test_a_quarter_turn_by_hand(axis, mapped):
    T = pose_between(pose(quaternion=turned(0, axis)), pose(quaternion=turned(180, axis)), 0.5)
    np.testing.assert_allclose(T[:3, :3] @ [0, 1, 0], mapped, atol=1e-12)


def test_the_short_way_round():
    # 170 and -170 degrees are 20 degrees apart, by way of 180; q and -q are alike.
    for sign in (1, -1):
        after = pose(quaternion=[sign * value for value in turned(-170)])
        T = pose_between(pose(quaternion=turned(170)), after, 0.5)
        np.testing.assert_allclose(T[:2, :2], [[-1, 0], [0, -1]], atol=1e-12)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1, 1), min_size=8, max_size=8), st.floats(0, 1))
def test_every_result_is_a_motion_and_the_ends_are_exact(values, share):
    quaternions = [np.add(values[i:i + 4], [0, 0, 0, 1.5]) for i in (0, 4)]
    first, second = (pose((values[0], values[1], 2.0), tuple(q / np.linalg.norm(q)))
                     for q in quaternions)
    T = pose_between(first, second, share)
    np.testing.assert_allclose(T[:3, :3] @ T[:3, :3].T, np.eye(3), atol=1e-9)
    assert np.linalg.det(T[:3, :3]) > 0
    assert T[3].tolist() == [0, 0, 0, 1]
    # From the other end it is the same.
    np.testing.assert_allclose(pose_between(second, first, 1 - share), T, atol=1e-7)


@pytest.mark.parametrize(('position', 'quaternion'), [
    ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0)), ((math.nan, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)),
    ((0.0, 0.0, 0.0), (math.nan, 0.0, 0.0, 1.0)), ((0.0, math.inf, 0.0), (0.0, 0.0, 0.0, 1.0))])
def test_unset_poses_are_none(position, quaternion):
    assert pose(position, quaternion) is None


def test_readings_around_a_time():
    readings = Readings(keep_ns=100)
    for received, stamp in ((10, 0), (30, 20), (20, 40)):
        readings.add(received, stamp, stamp)
    assert readings.around(5, 20) == (0, 20, 0.25)
    assert readings.around(20, 20) == (20, 20, 0.0)
    assert readings.around(5, 19) is None
    assert readings.around(41, 100) is None
    assert readings.around(-1, 100) is None
    assert readings.nearest(29, 9) == 20
    assert readings.nearest(29, 8) is None
    readings.add(125, 60, 60)  # the one of 10 is forgotten
    assert readings.around(5, 100) is None
