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

"""Poses in optical axes become odometry in the robot's axes."""

from mdepth_ros.ros.robot_path import RobotPath
import numpy as np
import pytest


@pytest.mark.parametrize(('axis', 'index'), [((1, 0, 0), 0), ((0, 1, 0), 1), ((0, 0, 1), 2)])
@pytest.mark.parametrize('angle', [0.3, 3.0])
def test_a_turn_of_the_camera_turns_the_robot(axis, index, angle):
    # A right-handed turn about an axis of the body, column by column.
    c, s = np.cos(angle), np.sin(angle)
    j, k = (index + 1) % 3, (index + 2) % 3
    body = np.eye(3)
    body[j, j], body[k, j], body[j, k], body[k, k] = c, s, -s, c
    # The optical x, y, z axes are the body's -y, -z, x.
    optical = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    turned = np.eye(4)
    turned[:3, :3] = optical.T @ body @ optical
    path = RobotPath()
    path.add(0, np.eye(4))
    q = path.add(10**8, turned).pose.pose.orientation
    expected = [*(np.sin(angle / 2) * np.array(axis)), np.cos(angle / 2)]
    assert [q.x, q.y, q.z, q.w] == pytest.approx(expected, abs=1e-12)
