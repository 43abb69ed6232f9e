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

"""The subscriber that stays for the whole soak: depth images, and what the node says of itself."""

from types import TracebackType

from mdepth_ros.cli.driven_node import NAMESPACE, STATUS
from mdepth_ros.cli.soak.counts import NodeCounts
from mdepth_ros.cli.soak.observed import ReceivedDepth
from mdepth_ros.messages.serialised import stamp_of
from mdepth_ros.ros.diagnostics import values_of
from mdepth_ros.ros.listener import Listener
from mdepth_ros.ros.publishers import TOPICS
from mdepth_ros.ros.recorder import message_class

DEPTH, DIAGNOSTICS = 'depth/image', '/diagnostics'


class Ear:
    """Listens from the start; a context manager."""

    def __init__(self) -> None:
        self.received: list[ReceivedDepth] = []
        self.counts = NodeCounts()
        self._listener = Listener(NAMESPACE, {
            DEPTH: TOPICS[DEPTH],
            DIAGNOSTICS: message_class('diagnostic_msgs/msg/DiagnosticArray')}, self._heard)

    def __enter__(self) -> 'Ear':
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._listener.close()

    def _heard(self, topic: str, message: bytes, received_ns: int) -> None:
        """Note a message; called in the listener's thread."""
        if topic == DEPTH:
            self.received.append(ReceivedDepth(stamp_of(message), received_ns))
        elif values := values_of(message, STATUS):
            self.counts.add(values)
