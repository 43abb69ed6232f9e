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

"""Known poses of a camera as the odometry of the robot that carries it."""

import cv2
from geometry_msgs.msg import Point, Quaternion, Vector3
from mdepth_ros.engine.camera_path import BODY_OPTICAL, quaternion
from mdepth_ros.ros.header import header_at
from nav_msgs.msg import Odometry
import numpy as np
from numpy.typing import NDArray


class RobotPath:
    """Odometry of a robot whose camera looks forward from its origin, and which starts there."""

    def __init__(self) -> None:
        self._first: NDArray[np.float64] | None = None
        self._last: tuple[int, NDArray[np.float64]] | None = None

    def add(self, stamp_ns: int, T_world_camera: NDArray[np.float64]) -> Odometry:
        """
        Append a pose.

        :param stamp_ns: when [ns].
        :param T_world_camera: (4, 4) pose in optical axes [m], of any world.
        :return: pose since the first call, and velocity since the last one, in the robot's axes.
        :raises ValueError: if it is not later than the last one.
        """
        if self._first is None:
            self._first = T_world_camera
        T = _in_body_axes(np.linalg.inv(self._first) @ T_world_camera)
        velocity = turn = np.zeros(3)
        if self._last is not None:
            last_ns, before = self._last
            if stamp_ns <= last_ns:
                raise ValueError(f'stamp_ns must be later than {last_ns}, got {stamp_ns}')
            seconds = (stamp_ns - last_ns) / 1e9
            velocity = T[:3, :3].T @ (T[:3, 3] - before[:3, 3]) / seconds
            turn = cv2.Rodrigues(before[:3, :3].T @ T[:3, :3])[0].ravel() / seconds
        self._last = stamp_ns, T
        message = Odometry(header=header_at(stamp_ns, 'odom'), child_frame_id='base_link')
        message.pose.pose.position = Point(**dict(zip('xyz', T[:3, 3].tolist())))
        message.twist.twist.linear = Vector3(**dict(zip('xyz', velocity.tolist())))
        message.twist.twist.angular = Vector3(**dict(zip('xyz', turn.tolist())))
        message.pose.pose.orientation = Quaternion(**dict(zip('xyzw', quaternion(T[:3, :3]))))
        return message


def _in_body_axes(T: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn a motion in optical axes into the same motion with x forward and z up."""
    turn = np.eye(4)
    turn[:3, :3] = BODY_OPTICAL
    return np.asarray(turn @ T @ turn.T)
