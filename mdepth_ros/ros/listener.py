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

"""A subscriber that takes messages as bytes, in a thread and a context of its own."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
import threading
from types import TracebackType

from mdepth_ros.ros.own_node import OwnNode
from mdepth_ros.ros.reception_time import with_reception_time
from rclpy.qos import QoSProfile

QUEUE = 5


class Listener:
    """
    Joins the network, subscribes reliably like rviz, and leaves with :meth:`close`.

    :param namespace: of its node; topic names are relative to it.
    :param topics: message classes by topic.
    :param heard: called in the listener's thread with topic, serialised message and the wall
        clock at its reception [ns].
    """

    def __init__(
        self, namespace: str, topics: Mapping[str, type],
        heard: Callable[[str, bytes, int], None],
    ) -> None:
        self._own = OwnNode('mdepth_listener', namespace)
        for topic, kind in topics.items():
            self._own.node.create_subscription(
                kind, topic, with_reception_time(partial(heard, topic)), QoSProfile(depth=QUEUE),
                raw=True)
        self._closing = threading.Event()
        self._thread = ThreadPoolExecutor(1)
        self._outcome = self._thread.submit(self._spin)

    def close(self) -> None:
        """Unsubscribe and leave the network; raises the error of ``heard`` that ended it."""
        self._closing.set()
        self._thread.shutdown()
        self._own.close()
        self._outcome.result()

    def __enter__(self) -> 'Listener':
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def _spin(self) -> None:
        """Take messages until told to leave."""
        while not self._closing.is_set():
            self._own.spin_once(0.1)
