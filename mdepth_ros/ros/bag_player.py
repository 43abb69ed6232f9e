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

"""Play a camera's messages from a bag into the network, in real time and byte for byte."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
import time
from types import TracebackType

from mdepth_ros.engine.camera import Camera
from mdepth_ros.errors import MdepthError
from mdepth_ros.messages.bag import as_cdr, BagTopics, find_topics, open_bag
from mdepth_ros.messages.serialised import stamp_of, with_stamp
from mdepth_ros.ros.camera_info import raw_info
from mdepth_ros.ros.child_process import Check, wait_until
from mdepth_ros.ros.own_node import OwnNode
from nav_msgs.msg import Odometry
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from tqdm import tqdm

# A message is read so long before it is due, when the consumer is done with the one before: a
# camera does not take its processor either.
READING_NS = 20_000_000
# Of so many images the rate is measured.
PERIOD_IMAGES = 100


@dataclass(frozen=True)
class PlayedFrame:
    """One image: its header's stamp, and the wall clock just before it was published [ns]."""

    stamp_ns: int
    published_ns: int


class BagPlayer:
    """
    Publishes ``image`` (or ``image/compressed``), ``camera_info`` and ``odom``.

    ROS 2 messages go out with the bytes that the bag holds, ROS 1 messages are converted. Every
    image comes with a CameraInfo: the bag's own where it has one for each, else the newest one (or
    ``camera``) with the image's stamp.

    :param bag: any bag that ``rosbags`` reads.
    :param topics: which of its topics to play; found by default.
    :param camera: what to publish instead of the bag's CameraInfo.
    :param namespace: where to publish.
    :param check: called while waiting; raises if the consumer's process is gone.
    """

    def __init__(
        self, bag: Path, topics: BagTopics | None = None, *,
        camera: Camera | None = None, namespace: str = '', check: Check | None = None,
    ) -> None:
        self._check = check
        self._reader = open_bag(bag)
        self.topics = topics or find_topics(self._reader)
        self._counts = {c.topic: 0 for c in self._reader.connections}
        for connection in self._reader.connections:
            self._counts[connection.topic] += connection.msgcount
        self._own = OwnNode('bag_player', namespace)
        # Reliable connects to both kinds of subscription.
        qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
        kind, name = ((CompressedImage, 'image/compressed') if self.topics.compressed
                      else (Image, 'image'))
        self.image_publisher = self._own.node.create_publisher(kind, name, qos)
        self.info_publisher = self._own.node.create_publisher(CameraInfo, 'camera_info', qos)
        self.odometry_publisher = self._own.node.create_publisher(Odometry, 'odom', qos)
        self._fixed_info = None if camera is None else serialize_message(raw_info(camera))
        self.image_count = self._counts[self.topics.image]

    def wait_for_subscribers(self, timeout_s: float = 30.0, camera_info: bool = True) -> None:
        """
        Wait until somebody takes the images.

        :param timeout_s: give up after this time [s].
        :param camera_info: whether somebody must take the CameraInfo too.
        :raises ProcessError: if nobody subscribes in time.
        """
        needed = [self.image_publisher] + [self.info_publisher] * camera_info
        wait_until(lambda: all(p.get_subscription_count() for p in needed), timeout_s,
                   f'a subscription to {[p.topic_name for p in needed]}', self._check)

    def play(
        self, rate: float = 1.0, *, limit: int | None = None, stamp_offset_ns: int = 0,
        progress: bool = False, on_frame: Callable[[PlayedFrame], None] | None = None,
        until: Callable[[], bool] = lambda: False,
    ) -> list[PlayedFrame]:
        """
        Publish everything once, at the pace of the bag's own clock.

        :param rate: 2 plays twice as fast.
        :param limit: stop after this many images.
        :param stamp_offset_ns: added to every header's stamp, to loop without going back [ns].
        :param progress: show a progress bar.
        :param on_frame: called after each image.
        :param until: asked before each message and while waiting for it; stop when it says so.
        :return: the images played, in order.
        """
        played: list[PlayedFrame] = []
        total = self.image_count if limit is None else min(limit, self.image_count)
        # Per-image CameraInfo is played as it is; a latched one is repeated for every image.
        own_infos = (self._fixed_info is None and self.topics.camera_info is not None
                     and self._counts[self.topics.camera_info] >= self.image_count)
        info = self._fixed_info or self._first_info()
        info_is_known = False
        clock: tuple[int, int] | None = None  # bag time and monotonic time of the first message
        with tqdm(total=total, unit=' images', disable=not progress, leave=False) as bar:
            messages = self._messages()
            following = next(messages, None)
            while following is not None and len(played) < total:
                topic, bag_ns, cdr = following
                clock = clock or (bag_ns, time.monotonic_ns())
                due_ns = clock[1] + int((bag_ns - clock[0]) / rate)
                self._sleep_until(due_ns - READING_NS, until)
                following = next(messages, None)
                self._sleep_until(due_ns, until)
                if until():
                    break
                if stamp_offset_ns:
                    cdr = with_stamp(cdr, stamp_of(cdr) + stamp_offset_ns)
                if topic == self.topics.odometry:
                    self.odometry_publisher.publish(cdr)
                elif topic == self.topics.camera_info:
                    info = self._fixed_info or cdr
                    if own_infos:
                        self.info_publisher.publish(cdr)
                        info_is_known = True
                else:
                    if info is not None and not (own_infos and info_is_known):
                        self.info_publisher.publish(with_stamp(info, stamp_of(cdr)))
                        info_is_known = True
                    played.append(_publish(self.image_publisher, cdr))
                    if on_frame is not None:
                        on_frame(played[-1])
                    bar.update()
        return played

    def image_period_ns(self) -> int:
        """
        Measure how far apart the images are.

        :return: mean of the first ones by the bag's own clock [ns].
        :raises MdepthError: if there are not two images at different times.
        """
        times = [bag_ns for _, bag_ns, _ in islice(self._reader.messages_on(self.topics.image),
                                                   PERIOD_IMAGES)]
        if len(times) < 2 or times[0] == times[-1]:
            raise MdepthError(f'{self.topics.image} must have images at two times or more, '
                              f'got {len(times)} images')
        return (times[-1] - times[0]) // (len(times) - 1)

    def close(self) -> None:
        """Close the bag and leave the network."""
        self._reader.close()
        self._own.close()

    def __enter__(self) -> 'BagPlayer':
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def _messages(self) -> Iterator[tuple[str, int, bytes]]:
        """Topic, time and CDR bytes of the messages to play, in the order of the recording."""
        for connection, bag_ns, raw in self._reader.messages_on(
                self.topics.image, self.topics.camera_info, self.topics.odometry):
            yield connection.topic, bag_ns, as_cdr(self._reader, raw, connection.msgtype)

    def _first_info(self) -> bytes | None:
        """Return the CameraInfo for images that were recorded before the first one."""
        for connection, _, raw in self._reader.messages_on(self.topics.camera_info):
            return as_cdr(self._reader, raw, connection.msgtype)
        return None

    def _sleep_until(self, monotonic_ns: int, until: Callable[[], bool]) -> None:
        """Sleep in pieces, so that a dead consumer is noticed, and that nobody waits any more."""
        while not until():
            if self._check is not None:
                self._check()
            remaining_s = (monotonic_ns - time.monotonic_ns()) / 1e9
            if remaining_s <= 0:
                return
            time.sleep(min(remaining_s, 0.1))


def _publish(publisher: Publisher, cdr: bytes) -> PlayedFrame:
    """Publish an image and note when."""
    published_ns = time.time_ns()
    publisher.publish(cdr)
    return PlayedFrame(stamp_of(cdr), published_ns)
