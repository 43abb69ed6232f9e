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

"""What was heard of ROS in some seconds: who is connected how, and what came."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mdepth_ros.messages.depth_images import is_depth
from mdepth_ros.messages.type_names import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE
from rclpy.qos import QoSProfile

# What image_transport offers beside every topic, of no use for pictures.
NO_PICTURES = '/compressedDepth'


@dataclass(frozen=True)
class Endpoint:
    """A publisher or a subscription: fully qualified ``node`` and ``topic``, ``kind`` of it."""

    node: str
    topic: str
    kind: str
    qos: QoSProfile
    publishes: bool


@dataclass(frozen=True)
class Heard:
    """
    What came on a topic.

    ``count`` messages, at ``rate_hz`` (0 for fewer than two), and the ``last`` of them;
    ``repeats`` of them had the stamp of the one before.
    """

    count: int
    rate_hz: float
    last: Any
    repeats: int


@dataclass(frozen=True)
class DepthNodeSeen:
    """
    A running mdepth node, by its diagnostics, or by its services where it sends none.

    ``message`` is the diagnostics' text, None where none came, and ``failed`` whether their level
    is error. ``state`` is that of its lifecycle, ``rectified`` and ``simulated_time`` its
    parameters ``image_is_rectified`` and ``use_sim_time``, all None where it did not answer.
    """

    name: str
    message: str | None
    failed: bool
    state: str | None
    rectified: bool | None
    simulated_time: bool | None


@dataclass(frozen=True)
class Graph:
    """Everything that was seen in ``seconds`` [s]; ``heard`` by topic, ``ticks`` of /clock."""

    seconds: float
    endpoints: tuple[Endpoint, ...]
    heard: dict[str, Heard]
    depth_nodes: tuple[DepthNodeSeen, ...]
    ticks: int

    def publishers(self, topic: str) -> list[Endpoint]:
        """Return who publishes a topic."""
        return [it for it in self.endpoints if it.publishes and it.topic == topic]

    def subscriptions_of(self, node: str, kinds: Iterable[str]) -> list[Endpoint]:
        """Return what a node subscribes to, of some types."""
        return [it for it in self.endpoints
                if not it.publishes and it.node == node and it.kind in kinds]

    def camera_topics(self) -> list[str]:
        """Return the topics on which pictures are published, but for those of mdepth nodes."""
        ours = {node.name for node in self.depth_nodes}
        topics = sorted({it.topic for it in self.endpoints if it.publishes
                         and it.kind in (IMAGE, COMPRESSED_IMAGE) and it.node not in ours
                         and not it.topic.endswith(NO_PICTURES)})
        # A confidence is encoded like depth.
        return [topic for topic in topics
                if topic not in self.heard or not is_depth(topic, self.heard[topic].last)]

    def camera_topics_in_use(self) -> list[str]:
        """Return those that mdepth nodes subscribe to."""
        used = {it.topic for node in self.depth_nodes
                for it in self.subscriptions_of(node.name, (IMAGE, COMPRESSED_IMAGE))}
        return [topic for topic in self.camera_topics() if topic in used]

    def camera_info_topic(self, image_topic: str) -> str:
        """Return where the CameraInfo of an image is: where a node takes both, or beside it."""
        for node in self.depth_nodes:
            if any(it.topic == image_topic for it in self.subscriptions_of(
                    node.name, (IMAGE, COMPRESSED_IMAGE))):
                for info in self.subscriptions_of(node.name, (CAMERA_INFO,)):
                    return info.topic
        kinds = {it.kind for it in self.publishers(image_topic)}
        base = image_topic.rpartition('/')[0] if COMPRESSED_IMAGE in kinds else image_topic
        return f'{base.rpartition("/")[0]}/camera_info'
