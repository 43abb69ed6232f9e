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

"""The camera's path as messages."""

import importlib
from typing import Any

from geometry_msgs.msg import Quaternion, TransformStamped, Vector3
from mdepth_ros.engine.camera_path import CameraPath, quaternion
from mdepth_ros.errors import MdepthError
from nav_msgs.msg import Odometry
import numpy as np
from std_msgs.msg import Header


def tf_message_type() -> Any:
    """
    Find tf2_msgs/TFMessage, which a bare set of ROS wheels does not have.

    :raises MdepthError: if it is not installed.
    """
    try:
        return importlib.import_module('tf2_msgs.msg').TFMessage
    except ImportError as error:
        raise MdepthError(f'odometry.publish_tf needs the package tf2_msgs: {error}') from error


def odometry_message(path: CameraPath, header: Header, frame_id: str) -> Odometry:
    """
    Return the pose and the velocity now.

    :param path: the camera's path up to an image.
    :param header: header of that image; its frame becomes child_frame_id.
    :param frame_id: name of the odometry frame.
    """
    message = Odometry(child_frame_id=header.frame_id)
    message.header.stamp = header.stamp
    message.header.frame_id = frame_id
    T_odom_camera = path.T_odom_camera
    x, y, z = T_odom_camera[:3, 3].tolist()
    message.pose.pose.position.x = x
    message.pose.pose.position.y = y
    message.pose.pose.position.z = z
    message.pose.pose.orientation = Quaternion(**dict(zip('xyzw',
                                                          quaternion(T_odom_camera[:3, :3]))))
    linear, angular = path.twist[:3].tolist(), path.twist[3:].tolist()
    message.twist.twist.linear = Vector3(**dict(zip('xyz', linear)))
    message.twist.twist.angular = Vector3(**dict(zip('xyz', angular)))
    message.pose.covariance = message.twist.covariance = (path.variance * np.eye(6)).ravel()
    return message


def transform_of(odometry: Odometry) -> TransformStamped:
    """Return the transform that says the same as an odometry message."""
    transform = TransformStamped(header=odometry.header, child_frame_id=odometry.child_frame_id)
    position = odometry.pose.pose.position
    transform.transform.translation = Vector3(x=position.x, y=position.y, z=position.z)
    transform.transform.rotation = odometry.pose.pose.orientation
    return transform
