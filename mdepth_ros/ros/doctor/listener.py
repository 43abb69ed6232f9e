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

"""Listen to ROS for some seconds, like a camera's consumer: best effort, every camera topic."""

from collections.abc import Callable
import time
from types import TracebackType
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.srv import GetState
from mdepth_ros.messages.header import nanoseconds
from mdepth_ros.messages.type_names import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE, ODOMETRY
from mdepth_ros.ros.diagnostics import node_of
from mdepth_ros.ros.doctor.graph import DepthNodeSeen, Endpoint, Graph, Heard, NO_PICTURES
from mdepth_ros.ros.own_node import OwnNode
from mdepth_ros.ros.qos import sensor_qos
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import GetParameters
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

NAME = 'mdepth_doctor'
KINDS: dict[str, Any] = {
    IMAGE: Image, COMPRESSED_IMAGE: CompressedImage, CAMERA_INFO: CameraInfo}
# By their types these services tell a node that has not been configured, see ros/depth_node.py.
SERVICES = {'change_state': 'lifecycle_msgs/srv/ChangeState', 'reset': 'std_srvs/srv/Trigger',
            'enable': 'std_srvs/srv/SetBool'}
ANSWER_S = 2.0
# What the middleware calls a node of which it has only seen the endpoints.
UNKNOWN_NODE = '_NODE_NAME_UNKNOWN_'


def listen(seconds: float) -> Graph:
    """
    Listen.

    :param seconds: for so long, after the first look at who is there [s].
    :return: what was seen.
    """
    with _Listener() as listener:
        return listener.listen(seconds)


class _Ear:
    """Counts the messages of one topic."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._last: Any = None
        self._repeats = 0

    def __call__(self, message: Any) -> None:
        """Take a message."""
        self._times.append(time.monotonic())
        self._repeats += self._last is not None and (
            nanoseconds(self._last.header.stamp) == nanoseconds(message.header.stamp))
        self._last = message

    def heard(self) -> Heard | None:
        """Summarise; None where nothing came."""
        count = len(self._times)
        if not count:
            return None
        elapsed_s = self._times[-1] - self._times[0]
        return Heard(count, (count - 1) / elapsed_s if elapsed_s else 0.0, self._last,
                     self._repeats)


class _Listener:
    """Hears the cameras, and asks the nodes."""

    def __init__(self) -> None:
        self._own = OwnNode(NAME)
        self._node = self._own.node
        self._ears: dict[str, _Ear] = {}
        self._ticks = 0
        self._statuses: dict[str, DiagnosticStatus] = {}
        self._subscribe(Clock, '/clock', self._on_clock)
        self._subscribe(DiagnosticArray, '/diagnostics', self._on_diagnostics)

    def __enter__(self) -> '_Listener':
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._own.close()

    def listen(self, seconds: float) -> Graph:
        """Subscribe to the cameras that appear, then ask the nodes that were seen."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._discover()
            self._spin(lambda: False, min(0.5, max(0.0, end - time.monotonic())))
        heard = {topic: heard for topic, ear in self._ears.items() if (heard := ear.heard())}
        names = sorted({*self._statuses, *self._silent_nodes()})
        nodes = tuple(node for name in names if (node := self._ask(name)) is not None)
        # Which node an endpoint belongs to is told apart from the endpoint, at times much later.
        self._spin(self._endpoints_are_named, ANSWER_S)
        return Graph(seconds, self._endpoints(), heard, nodes, self._ticks)

    def _discover(self) -> None:
        """Subscribe to the camera topics that are new."""
        for topic, kinds in self._node.get_topic_names_and_types():
            if topic in self._ears or topic.endswith(NO_PICTURES) or not KINDS.keys() & set(kinds):
                continue
            # Not the type that a subscription wants: that one would hear nothing.
            kind = next((info.topic_type for info in self._node.get_publishers_info_by_topic(topic)
                         if info.topic_type in KINDS), None)
            if kind:
                self._ears[topic] = _Ear()
                self._subscribe(KINDS[kind], topic, self._ears[topic])

    def _subscribe(self, kind: Any, topic: str, callback: Callable[[Any], None]) -> None:
        """Subscribe so that every publisher fits."""
        self._node.create_subscription(kind, topic, callback, sensor_qos(10))

    def _on_clock(self, message: Clock) -> None:
        self._ticks += 1

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            node = node_of(status.name)
            if node and any(pair.key == 'images_received' for pair in status.values):
                self._statuses[node] = status

    def _endpoints(self) -> tuple[Endpoint, ...]:
        """List publishers and subscriptions of the types that the node has."""
        wanted = {*KINDS, ODOMETRY}
        topics = [topic for topic, kinds in self._node.get_topic_names_and_types()
                  if wanted & set(kinds)]
        asked = ((True, self._node.get_publishers_info_by_topic),
                 (False, self._node.get_subscriptions_info_by_topic))
        return tuple(
            Endpoint(f'{info.node_namespace.rstrip("/")}/{info.node_name}', topic,
                     info.topic_type, info.qos_profile, publishes)
            for topic in topics for publishes, ask in asked for info in ask(topic)
            if info.node_name != NAME)

    def _endpoints_are_named(self) -> bool:
        """Tell whether the nodes of all endpoints are known."""
        return all(UNKNOWN_NODE not in endpoint.node for endpoint in self._endpoints())

    def _silent_nodes(self) -> list[str]:
        """List the nodes with services like ours that sent no diagnostics."""
        services = dict(self._node.get_service_names_and_types())
        names = [service.removesuffix('/reset') for service in services
                 if service.endswith('/reset')]
        return [name for name in names if name not in self._statuses
                and all(kind in services.get(f'{name}/{service}', ())
                        for service, kind in SERVICES.items())]

    def _ask(self, name: str) -> DepthNodeSeen | None:
        """Ask a node for its state and parameters; None if it answers that it is none of ours."""
        status = self._statuses.get(name)
        state = self._call(GetState, f'{name}/get_state', GetState.Request())
        answer = self._call(GetParameters, f'{name}/get_parameters', GetParameters.Request(
            names=['image_is_rectified', 'use_sim_time']))
        values: list[bool | None] = [None, None]
        if answer is not None:
            types = [value.type for value in answer.values]
            if len(types) != 2 or ParameterType.PARAMETER_NOT_SET in types:
                return None
            # A value of another type is there, too, in a node that refuses it.
            values = [value.bool_value if value.type == ParameterType.PARAMETER_BOOL else None
                      for value in answer.values]
        return DepthNodeSeen(
            name, status and status.message, bool(status and status.level == status.ERROR),
            state and state.current_state.label, *values)

    def _call(self, kind: Any, service: str, request: Any) -> Any:
        """Call a service; None if no answer comes."""
        client = self._node.create_client(kind, service)
        if not self._spin(client.service_is_ready, ANSWER_S):
            return None
        future = client.call_async(request)
        return future.result() if self._spin(future.done, ANSWER_S) else None

    def _spin(self, until: Callable[[], bool], timeout_s: float) -> bool:
        """Take messages; returns whether the condition came true."""
        end = time.monotonic() + timeout_s
        while not until() and time.monotonic() < end:
            self._own.spin_once(0.05)
        return until()
