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

"""A subscriber that comes, listens to everything, and leaves."""

import time

from mdepth_ros.cli.driven_node import NAMESPACE
from mdepth_ros.cli.soak.observed import Visit
from mdepth_ros.ros.listener import Listener
from mdepth_ros.ros.publishers import TOPICS


class Visitor:
    """Joins the network as a participant of its own, and subscribes to every output."""

    def __init__(self) -> None:
        self.joined_ns = time.time_ns()
        self._first_ns: dict[str, int] = {}
        self._listener = Listener(NAMESPACE, TOPICS, self._heard)

    def has_heard_all(self) -> bool:
        """Return whether every topic has brought a message."""
        return len(self._first_ns) == len(TOPICS)

    def leave(self) -> Visit:
        """
        Leave the network.

        :return: what became of the visit.
        """
        self._listener.close()
        return Visit(self.joined_ns, 1e-9 * (max(self._first_ns.values()) - self.joined_ns)
                     if self.has_heard_all() else None)

    def _heard(self, topic: str, message: bytes, received_ns: int) -> None:
        """Note the first message of a topic; called in the listener's thread."""
        self._first_ns.setdefault(topic, received_ns)
