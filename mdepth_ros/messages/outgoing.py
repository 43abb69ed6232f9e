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

"""Arrays to messages for a bag, without ROS: rosbags' own classes."""

from typing import Any

import cv2
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.camera_path import CameraPath, quaternion
from mdepth_ros.messages.bag import ros2_types
from mdepth_ros.messages.points import pack_points
import numpy as np
from numpy.typing import NDArray

FLOAT32 = 7  # of sensor_msgs/PointField
JPEG_QUALITY = 90

Message = Any  # rosbags makes the classes while it runs


def header(stamp_ns: int, frame_id: str) -> Message:
    """Make a std_msgs/Header; the stamp is in ns."""
    return _make('std_msgs/msg/Header',
                 _make('builtin_interfaces/msg/Time', *divmod(stamp_ns, 1_000_000_000)), frame_id)


def raw_image(pixels: NDArray[Any], encoding: str, head: Message) -> Message:
    """
    Make a sensor_msgs/Image.

    :param pixels: (H, W) or (H, W, C), of the encoding's type.
    :param encoding: such as ``rgb8`` or ``32FC1``.
    :param head: its header.
    """
    rows = np.ascontiguousarray(pixels).reshape(len(pixels), -1).view(np.uint8)
    return _make('sensor_msgs/msg/Image', head, *pixels.shape[:2], encoding, 0, rows.shape[1],
                 rows.ravel())


def jpeg_image(rgb: NDArray[np.uint8], head: Message) -> Message:
    """
    Make a sensor_msgs/CompressedImage.

    :param rgb: (H, W, 3) uint8.
    :param head: its header.
    """
    _, data = cv2.imencode('.jpg', cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR),
                           [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return _make('sensor_msgs/msg/CompressedImage', head, 'jpeg', data.ravel())


def camera_info(camera: Camera, head: Message) -> Message:
    """
    Make the sensor_msgs/CameraInfo of rectified images.

    :param camera: a camera without distortion, e.g. of :func:`resized_camera`.
    :param head: its header.
    """
    K = camera.rectified_K()
    region = _make('sensor_msgs/msg/RegionOfInterest', 0, 0, 0, 0, False)
    return _make('sensor_msgs/msg/CameraInfo', head, camera.height, camera.width, 'plumb_bob',
                 np.zeros(5), K.ravel(), np.eye(3).ravel(),
                 np.hstack([K, camera.P[:, 3:]]).ravel(), 0, 0, region)


def cloud(points: NDArray[np.float32], rgb: NDArray[np.uint8], head: Message) -> Message:
    """
    Make a dense sensor_msgs/PointCloud2.

    :param points: (N, 3) finite points [m].
    :param rgb: (N, 3) uint8 colours.
    :param head: its header.
    """
    packed = np.zeros((1, len(points), 4), np.float32)
    if len(points):
        pack_points(np.ascontiguousarray(points.T)[:, None], rgb[None], packed)
    fields = [_make('sensor_msgs/msg/PointField', name, 4 * index, FLOAT32, 1)
              for index, name in enumerate(('x', 'y', 'z', 'rgb'))]
    return _make('sensor_msgs/msg/PointCloud2', head, 1, len(points), fields, False, 16,
                 16 * len(points), packed.view(np.uint8).ravel(), True)


def odometry(path: CameraPath, head: Message, child_frame_id: str) -> Message:
    """
    Make a nav_msgs/Odometry.

    :param path: the camera's path up to the image.
    :param head: its header: the image's stamp, the odometry frame.
    :param child_frame_id: the image's frame.
    """
    T = path.T_odom_camera
    pose = _make('geometry_msgs/msg/Pose', _make('geometry_msgs/msg/Point', *T[:3, 3].tolist()),
                 _make('geometry_msgs/msg/Quaternion', *quaternion(T[:3, :3])))
    twist = _make('geometry_msgs/msg/Twist', _vector(path.twist[:3]), _vector(path.twist[3:]))
    covariance = (path.variance * np.eye(6)).ravel()
    return _make('nav_msgs/msg/Odometry', head, child_frame_id,
                 _make('geometry_msgs/msg/PoseWithCovariance', pose, covariance),
                 _make('geometry_msgs/msg/TwistWithCovariance', twist, covariance))


def transform_message(path: CameraPath, head: Message, child_frame_id: str) -> Message:
    """Make the tf2_msgs/TFMessage that says the same as :func:`odometry`."""
    T = path.T_odom_camera
    transform = _make('geometry_msgs/msg/Transform', _vector(T[:3, 3]),
                      _make('geometry_msgs/msg/Quaternion', *quaternion(T[:3, :3])))
    stamped = _make('geometry_msgs/msg/TransformStamped', head, child_frame_id, transform)
    return _make('tf2_msgs/msg/TFMessage', [stamped])


def _vector(values: NDArray[np.float64]) -> Message:
    """Make a geometry_msgs/Vector3."""
    return _make('geometry_msgs/msg/Vector3', *values.tolist())


def _make(kind: str, *values: Any) -> Message:
    """Make a message from its fields in order."""
    return ros2_types().types[kind](*values)
