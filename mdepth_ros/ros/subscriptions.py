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

"""The node's input topics: callbacks that only store."""

from collections import deque
from collections.abc import Callable
from typing import Any

from mdepth_ros.errors import BadCamera
from mdepth_ros.messages.camera_info import camera_from_info
from mdepth_ros.messages.header import nanoseconds
from mdepth_ros.ros.inputs import CameraCache, NewestImage, OdometryReading
from mdepth_ros.ros.parameter_field import BadParameter
from mdepth_ros.ros.parameters import NodeParameters
from mdepth_ros.ros.qos import checked_overrides, OVERRIDABLE, sensor_qos
from nav_msgs.msg import Odometry
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image


class Subscriptions:
    """Image or compressed image, CameraInfo, and odometry where the scale needs it."""

    def __init__(self, node: Node, parameters: NodeParameters, report: Callable[[str], None]
                 ) -> None:
        """
        Subscribe.

        :param node: their node.
        :param parameters: the values in force.
        :param report: told of every CameraInfo and every odometry that cannot be used.
        :raises BadParameter: if a ``qos_overrides`` parameter is not usable.
        """
        self._node = node
        self._report = report
        self.images = NewestImage()
        self.cameras = CameraCache(
            parameters.exact_camera_info, node.resolve_topic_name('camera_info'),
            parameters.camera_info_timeout_s)
        self.odometry: deque[OdometryReading] = deque(maxlen=1000)
        # Not of depth 1: an image that the middleware replaced would not be counted.
        image: tuple[Any, str] = ((Image, 'image') if parameters.image_transport == 'raw'
                                  else (CompressedImage, 'image/compressed'))
        self._subscriptions: list[Any] = []
        try:
            self._subscribe(*image, self.images.put, 10)
            self._subscribe(CameraInfo, 'camera_info', self._on_camera_info, 10)
            if parameters.scale_mode == 'odometry':
                self._subscribe(Odometry, 'odom', self._on_odometry, 50)
        except BadParameter:
            self.destroy()
            raise

    def destroy(self) -> None:
        """Unsubscribe and send a waiting worker home."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self.images.close()
        self.cameras.close()

    def _subscribe(
        self, kind: Any, topic: str, callback: Callable[[Any], None], depth: int
    ) -> None:
        """Subscribe like a sensor's consumer, unless the user's qos_overrides say otherwise."""
        with checked_overrides(self._node, topic):
            self._subscriptions.append(self._node.create_subscription(
                kind, topic, callback, sensor_qos(depth), qos_overriding_options=OVERRIDABLE))

    def _on_camera_info(self, info: CameraInfo) -> None:
        try:
            self.cameras.put(nanoseconds(info.header.stamp), camera_from_info(info))
        except BadCamera as error:
            self.cameras.refuse(str(error))
            self._report(str(error))

    def _on_odometry(self, message: Odometry) -> None:
        it = message.pose.pose.position
        position = np.array([it.x, it.y, it.z])
        if not np.isfinite(position).all():
            self._report(f'odom must have a finite position, got {position.tolist()}')
            return
        self.odometry.append(OdometryReading(nanoseconds(message.header.stamp), position))
