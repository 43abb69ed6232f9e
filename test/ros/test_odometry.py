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

from mdepth_ros.engine.camera_path import CameraPath
from mdepth_ros.engine.frames import DepthEstimate, Mode, Timings
from mdepth_ros.geometry.pose import motion_from_parameters
from mdepth_ros.ros.odometry import odometry_message, transform_of
import numpy as np
import pytest
from std_msgs.msg import Header
import torch

STEP_S = 0.1


def estimate(axis_angle=None, translation=(0.0, 0.0, 0.0), i=1):
    """One whose camera moved by that in its own optical frame: x right, y down, z forward."""
    T = None if axis_angle is None else motion_from_parameters(
        torch.tensor([axis_angle], dtype=torch.float64),
        torch.tensor([translation], dtype=torch.float64))[0]
    empty = torch.zeros(1, 1, 1, 1)
    return DepthEstimate(
        depth=empty, valid=empty > 0, confidence=empty, single_depth=empty,
        rgb=np.zeros((1, 1, 3), np.uint8),
        K=torch.eye(3), stamp_ns=round((i + 1) * STEP_S * 1e9), mode=Mode.MULTI, reason='',
        T_source_target=None, source_stamp_ns=None, T_previous_target=T,
        previous_stamp_ns=None if T is None else round(i * STEP_S * 1e9),
        scale=1.0, timings=Timings(0, 0, 0, 0))


def header():
    header = Header(frame_id='cam_optical')
    header.stamp.sec, header.stamp.nanosec = 12, 345
    return header


def xyz(vector):
    return [vector.x, vector.y, vector.z]


def rotate(q, vector):
    """Rotate by a quaternion."""
    u, v = np.array([q.x, q.y, q.z]), np.asarray(vector, float)
    return v + 2 * np.cross(u, np.cross(u, v) + q.w * v)


def test_the_path_starts_level_with_the_camera_looking_along_x():
    message = odometry_message(CameraPath(), header(), 'odom')
    assert (message.header.frame_id, message.child_frame_id) == ('odom', 'cam_optical')
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (12, 345)
    assert xyz(message.pose.pose.position) == [0, 0, 0]
    q = message.pose.pose.orientation
    np.testing.assert_allclose(rotate(q, [0, 0, 1]), [1, 0, 0], atol=1e-12)  # forward
    np.testing.assert_allclose(rotate(q, [1, 0, 0]), [0, -1, 0], atol=1e-12)  # right
    np.testing.assert_allclose(rotate(q, [0, 1, 0]), [0, 0, -1], atol=1e-12)  # down


def test_driving_a_square_comes_back():
    path = CameraPath()
    quarter_left = (0.0, -math.pi / 2, 0.0)  # about the optical y axis, which points down
    for i, corner in enumerate([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]]):
        path.add(estimate(quarter_left, (0.0, 0.0, 1.0), i))
        position = odometry_message(path, header(), 'odom').pose.pose.position
        np.testing.assert_allclose(xyz(position), corner, atol=1e-9)
    assert path.length_m == pytest.approx(4.0)
    q = odometry_message(path, header(), 'odom').pose.pose.orientation
    np.testing.assert_allclose(rotate(q, [0, 0, 1]), [1, 0, 0], atol=1e-9)


def test_twist_is_the_velocity_in_the_camera_frame():
    path = CameraPath()
    path.add(estimate((0.0, 0.02, 0.0), (0.0, 0.0, 0.1)))
    twist = odometry_message(path, header(), 'odom').twist.twist
    np.testing.assert_allclose(xyz(twist.angular), [0, 0.2, 0], atol=1e-9)
    # At the end of the motion the camera has turned right: it moves forward and a little left.
    np.testing.assert_allclose(xyz(twist.linear), [-math.sin(0.02), 0, math.cos(0.02)], atol=1e-9)
    path.add(estimate())
    assert xyz(odometry_message(path, header(), 'odom').twist.twist.linear) == [0, 0, 0]


def test_without_a_motion_the_camera_stays():
    path = CameraPath()
    path.add(estimate((0.0, 0.0, 0.0), (0.0, 0.0, 1.0)))
    path.add(estimate())
    message = odometry_message(path, header(), 'odom')
    assert xyz(message.pose.pose.position) == pytest.approx([1, 0, 0])
    # And nobody takes that for a measurement.
    assert np.diag(np.reshape(message.twist.covariance, (6, 6))).min() >= 9999
    path.add(estimate((0.0, 0.0, 0.0), (0.0, 0.0, 1.0)))
    message = odometry_message(path, header(), 'odom')
    assert 0 < np.diag(np.reshape(message.twist.covariance, (6, 6))).max() < 1


def test_thousands_of_turns_leave_a_rotation():
    path = CameraPath()
    for i in range(3000):
        path.add(estimate((0.1, 0.2, 0.3), (0.0, 0.0, 0.01), i))
    R = path.T_odom_camera[:3, :3]
    np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-12)
    q = odometry_message(path, header(), 'odom').pose.pose.orientation
    assert q.x**2 + q.y**2 + q.z**2 + q.w**2 == pytest.approx(1.0)


def test_covariances_are_not_zero_and_the_transform_says_the_same():
    path = CameraPath()
    path.add(estimate((0.0, 0.1, 0.0), (0.3, 0.2, 0.1)))
    message = odometry_message(path, header(), 'odom')
    for covariance in (message.pose.covariance, message.twist.covariance):
        assert (np.diag(np.reshape(covariance, (6, 6))) > 0).all()
    transform = transform_of(message)
    assert transform.header == message.header
    assert transform.child_frame_id == message.child_frame_id
    assert xyz(transform.transform.translation) == xyz(message.pose.pose.position)
    assert transform.transform.rotation == message.pose.pose.orientation
