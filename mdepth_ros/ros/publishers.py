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

"""The node's output topics; what nobody subscribes to is not computed."""

import time

from mdepth_ros.engine.camera_path import CameraPath
from mdepth_ros.engine.rendering import Rendering
from mdepth_ros.ros.camera_info import rectified_info
from mdepth_ros.ros.messages import (
    bgr_image,
    dense_cloud,
    metres_image,
    millimetres_image,
    organised_cloud,
    xyz_cloud,
)
from mdepth_ros.ros.odometry import odometry_message, tf_message_type, transform_of
from mdepth_ros.ros.parameter_field import BadParameter
from mdepth_ros.ros.parameters import NodeParameters
from mdepth_ros.ros.qos import checked_overrides, OVERRIDABLE
from nav_msgs.msg import Odometry
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

TOPICS = {
    'depth/image': Image,
    'depth/camera_info': CameraInfo,
    'depth/points': PointCloud2,
    'depth/points_filtered': PointCloud2,
    'depth/points_clearing': PointCloud2,
    'depth/confidence': Image,
    'depth/color': Image,
    'odometry': Odometry,
}
QUEUE = 5


class Publishers:
    """Lifecycle publishers of all outputs."""

    def __init__(self, node: LifecycleNode, with_tf: bool) -> None:
        """
        Create the publishers.

        :param node: their node.
        :param with_tf: whether to publish on /tf, too.
        :raises MdepthError: if /tf is asked for and tf2_msgs is not installed, or a
            ``qos_overrides`` parameter is not usable.
        """
        topics = TOPICS | ({'/tf': tf_message_type()} if with_tf else {})
        self._node = node
        self._publishers: dict[str, LifecyclePublisher] = {}
        self._next_clouds = 0.0
        try:
            for topic, kind in topics.items():
                with checked_overrides(node, topic):
                    self._publishers[topic] = node.create_lifecycle_publisher(
                        kind, topic, QoSProfile(depth=QUEUE), qos_overriding_options=OVERRIDABLE)
        except BadParameter:
            self.destroy()
            raise

    def destroy(self) -> None:
        """Remove the publishers from their node; a worker that hangs finds none to publish on."""
        publishers, self._publishers = self._publishers, {}
        for publisher in publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)

    def wanted(self, parameters: NodeParameters) -> bool:
        """Return whether anybody listens to anything that the parameters let out."""
        return any(self._wanted(topic) for topic in self._publishers
                   if parameters.clearing_enabled or topic != 'depth/points_clearing')

    def publish(
        self, rendering: Rendering, path: CameraPath, header: Header, parameters: NodeParameters
    ) -> None:
        """
        Publish one frame on all topics that have subscribers.

        :param rendering: its arrays.
        :param path: the camera's path up to it.
        :param header: header of its image; every message gets this stamp and frame.
        :param parameters: the values in force.
        """
        if self._wanted('depth/image'):
            as_image = (metres_image if parameters.depth_encoding == '32FC1'
                        else millimetres_image)
            self._publish('depth/image', as_image(rendering.depth, header))
        if self._wanted('depth/camera_info'):
            self._publish('depth/camera_info', rectified_info(rendering.camera, header))
        if self._wanted('depth/points'):
            self._publish('depth/points', organised_cloud(*rendering.points, header))
        if self._wanted('depth/confidence'):
            self._publish('depth/confidence', metres_image(rendering.confidence, header))
        if self._wanted('depth/color'):
            self._publish('depth/color', bgr_image(rendering.color, header))
        filtered = self._wanted('depth/points_filtered')
        clearing = parameters.clearing_enabled and self._wanted('depth/points_clearing')
        if (filtered or clearing) and self._clouds_are_due(parameters.filtered_rate):
            # First what is free, then what is not: a costmap may use each as it comes.
            if clearing:
                self._publish('depth/points_clearing',
                              xyz_cloud(rendering.clearing_points, header))
            if filtered:
                self._publish('depth/points_filtered',
                              dense_cloud(*rendering.navigation_points, header))
        if self._wanted('odometry') or self._wanted('/tf'):
            odometry = odometry_message(path, header, parameters.odometry_frame)
            self._publish('odometry', odometry)
            if '/tf' in self._publishers:
                self._publish('/tf', tf_message_type()(transforms=[transform_of(odometry)]))

    def _wanted(self, topic: str) -> bool:
        """Return whether a topic exists and has subscribers."""
        publisher = self._publishers.get(topic)
        return publisher is not None and publisher.get_subscription_count() > 0

    def _publish(self, topic: str, message: object) -> None:
        self._publishers[topic].publish(message)

    def _clouds_are_due(self, rate: float) -> bool:
        """Hold the clouds for navigation to their own rate [Hz]."""
        now = time.monotonic()
        if not rate:
            return True
        # A tenth early is in time: frames do not come on the clock's tick.
        early = 0.1 / rate
        # A rate that was raised counts from now on, not after a period of the old one.
        self._next_clouds = min(self._next_clouds, now + 1 / rate + early)
        if now < self._next_clouds - early:
            return False
        self._next_clouds = max(self._next_clouds, now) + 1 / rate
        return True
