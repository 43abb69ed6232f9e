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
    odometry = path.add(10**8, turned)
    q, rate = odometry.pose.pose.orientation, odometry.twist.twist.angular
    expected = [*(np.sin(angle / 2) * np.array(axis)), np.cos(angle / 2)]
    assert [q.x, q.y, q.z, q.w] == pytest.approx(expected, abs=1e-12)
    assert [rate.x, rate.y, rate.z] == pytest.approx(10 * angle * np.array(axis))


def test_position_and_velocities_of_a_bend():
    # Ahead while it turns left: about the optical axis that looks down, so by a negative angle.
    def pose(angle, right, ahead):
        T = np.eye(4)
        T[:3, :3] = [[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0],
                     [np.sin(angle), 0, np.cos(angle)]]
        T[:3, 3] = right, 0, ahead
        return T

    path = RobotPath()
    path.add(0, pose(0, 5.0, 7.0))
    path.add(10**9, pose(np.pi / 2, 5.0, 9.0))
    odometry = path.add(3 * 10**9, pose(np.pi, 4.0, 9.0))
    position, twist = odometry.pose.pose.position, odometry.twist.twist
    assert [position.x, position.y, position.z] == pytest.approx([2, 1, 0])
    # One metre to the left, and by now it looks back: that is to its right.
    linear, angular = twist.linear, twist.angular
    assert [linear.x, linear.y, linear.z] == pytest.approx([0, -0.5, 0], abs=1e-9)
    assert [angular.x, angular.y, angular.z] == pytest.approx([0, 0, np.pi / 4], abs=1e-9)


@pytest.mark.parametrize('stamp_ns', [9, 10])
def test_time_that_does_not_pass_has_no_velocity(stamp_ns):
    path = RobotPath()
    path.add(10, np.eye(4))
    with pytest.raises(ValueError, match=f'stamp_ns must be later than 10, got {stamp_ns}'):
        path.add(stamp_ns, np.eye(4))
