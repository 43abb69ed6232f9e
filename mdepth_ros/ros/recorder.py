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

"""Record topics to an mcap bag, byte for byte: ``python -m mdepth_ros.ros.recorder``."""

import argparse
from collections.abc import Sequence
from functools import partial
import importlib
import json
from pathlib import Path
import signal
import time

from mdepth_ros.ros.own_node import OwnNode
from mdepth_ros.ros.reception_time import with_reception_time
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosbags.interfaces import Connection, Qos, QosDurability, QosHistory, QosLiveliness, QosTime
from rosbags.interfaces import QosReliability as BagReliability
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores

# Deep enough to sit out a slow disk; the clouds are the large ones, 2 MB at 640x192.
QUEUE_DEPTH = 200
_FOREVER = QosTime(9223372036, 854775807)


class Recorder:
    """
    Subscribes to topics as they appear, and writes them down.

    The log time of a message is when it came, see :func:`with_reception_time`.

    :param bag: folder to create.
    :param topics: what to record, fully qualified.
    """

    def __init__(self, bag: Path, topics: Sequence[str]) -> None:
        self.counts: dict[str, int] = {}
        self._topics = tuple(topics)
        self._typestore = get_typestore(Stores.LATEST)
        self._writer = Writer(bag, version=9, storage_plugin=StoragePlugin.MCAP)
        self._writer.open()
        self._own = OwnNode('mdepth_recorder')

    def discover(self) -> list[str]:
        """
        Subscribe to what has appeared since the last call.

        :return: the new topics.
        """
        found = self._visible_topics()
        new = [name for name in found if name not in self.counts]
        for name in new:
            self._subscribe(name, *found[name])
        return new

    def spin_once(self, timeout_s: float = 0.05) -> None:
        """
        Write at most one message.

        :param timeout_s: wait for it this long [s].
        """
        self._own.spin_once(timeout_s)

    def drain(self, quiet_s: float = 0.3, timeout_s: float = 5.0) -> None:
        """
        Write what is still on its way.

        :param quiet_s: stop after this time without a message [s].
        :param timeout_s: stop after this time in any case [s].
        """
        end = time.monotonic() + timeout_s
        quiet_from, written = time.monotonic(), sum(self.counts.values())
        while time.monotonic() < min(end, quiet_from + quiet_s):
            self.spin_once(0.02)
            if sum(self.counts.values()) > written:
                quiet_from, written = time.monotonic(), sum(self.counts.values())

    def close(self) -> None:
        """Finish the file and leave the network."""
        self._writer.close()
        self._own.close()

    def _visible_topics(self) -> dict[str, tuple[str, QoSProfile]]:
        """Type of the topics to record, and what their publishers offer, where there is one."""
        found = {}
        for name, kinds in sorted(self._own.node.get_topic_names_and_types()):
            publishers = self._own.node.get_publishers_info_by_topic(name)
            # A type that the bag library does not know has no definition to write down.
            if name in self._topics and publishers and kinds[0] in self._typestore.fielddefs:
                found[name] = kinds[0], publishers[0].qos_profile
        return found

    def _subscribe(self, name: str, kind: str, offered: QoSProfile) -> None:
        """Subscribe with what the publisher offers, and a deep queue."""
        qos = QoSProfile(
            depth=QUEUE_DEPTH,
            reliability=(ReliabilityPolicy.BEST_EFFORT
                         if offered.reliability == ReliabilityPolicy.BEST_EFFORT
                         else ReliabilityPolicy.RELIABLE),
            durability=(DurabilityPolicy.TRANSIENT_LOCAL
                        if offered.durability == DurabilityPolicy.TRANSIENT_LOCAL
                        else DurabilityPolicy.VOLATILE))
        connection = self._writer.add_connection(
            name, kind, typestore=self._typestore, offered_qos_profiles=[_bag_qos(offered)])
        self.counts[name] = 0
        self._own.node.create_subscription(
            message_class(kind), name, with_reception_time(partial(self._write, connection)), qos,
            raw=True)

    def _write(self, connection: Connection, message: bytes, received_ns: int) -> None:
        """Write one message."""
        self._writer.write(connection, received_ns, message)
        self.counts[connection.topic] += 1


def message_class(kind: str) -> type:
    """
    Import a message class by its name.

    :param kind: as ``sensor_msgs/msg/Image``.
    :return: the class.
    """
    package, folder, name = kind.split('/')
    return getattr(importlib.import_module(f'{package}.{folder}'), name)


def _bag_qos(offered: QoSProfile) -> Qos:
    """Translate a publisher's QoS to the bag's metadata; depth is not on the wire."""
    reliable = offered.reliability != ReliabilityPolicy.BEST_EFFORT
    latched = offered.durability == DurabilityPolicy.TRANSIENT_LOCAL
    return Qos(
        QosHistory.KEEP_LAST, offered.depth or 1,
        BagReliability.RELIABLE if reliable else BagReliability.BEST_EFFORT,
        QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
        _FOREVER, _FOREVER, QosLiveliness.AUTOMATIC, _FOREVER, False)


def main(arguments: Sequence[str] | None = None) -> None:
    """Record until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description='Record topics to an mcap bag.')
    parser.add_argument('bag', type=Path, help='folder to create')
    parser.add_argument('topics', nargs='*', help='fully qualified topics')
    args = parser.parse_args(arguments)
    stopped = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.append(True))
    recorder = Recorder(args.bag, args.topics)
    print('ready', flush=True)
    look_again = 0.0
    try:
        while not stopped:
            if time.monotonic() > look_again:
                for topic in recorder.discover():
                    print(f'subscribed {topic}', flush=True)
                look_again = time.monotonic() + 0.25
            recorder.spin_once()
        recorder.drain()
    finally:
        recorder.close()
    print('recorded ' + json.dumps(recorder.counts), flush=True)


if __name__ == '__main__':
    main()
