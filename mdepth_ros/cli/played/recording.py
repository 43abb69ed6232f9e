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

"""Read images, clouds and diagnostics back from a bag, as arrays."""

from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdepth_ros.errors import MdepthError
from mdepth_ros.messages.bag import as_cdr, open_bag
from mdepth_ros.messages.header import nanoseconds
from mdepth_ros.messages.serialised import stamp_of
import numpy as np
from numpy.typing import NDArray

_DTYPES = {'32FC1': '<f4', '16UC1': '<u2', 'mono8': 'u1', 'bgr8': 'u1', 'rgb8': 'u1'}


@dataclass(frozen=True)
class Recorded:
    """A message: its header's stamp, the time it was received [ns], and itself."""

    stamp_ns: int
    received_ns: int
    message: Any


def read_times(bag: Path, topics: Collection[str]) -> dict[str, dict[int, int]]:
    """
    Read when each message was received, without decoding it.

    :param bag: the bag.
    :param topics: topics of messages that start with a header.
    :return: by topic, the time of reception [ns] by stamp [ns].
    """
    times: dict[str, dict[int, int]] = {}
    with closing(open_bag(bag)) as reader:
        for connection, received_ns, raw in reader.messages_on(*topics):
            cdr = as_cdr(reader, raw, connection.msgtype)
            times.setdefault(connection.topic, {}).setdefault(stamp_of(cdr), received_ns)
    return times


def read_messages(bag: Path, topic: str) -> Iterator[Recorded]:
    """
    Read the messages of a topic, in order; nothing if it is not there.

    :param bag: the bag.
    :param topic: a topic of messages with a header.
    """
    with closing(open_bag(bag)) as reader:
        for connection, received_ns, raw in reader.messages_on(topic):
            message: Any = reader.deserialize(raw, connection.msgtype)
            yield Recorded(nanoseconds(message.header.stamp), received_ns, message)


def find_message(bag: Path, topic: str, stamp_ns: int) -> Any:
    """
    Find the message with a stamp.

    :param bag: the bag.
    :param topic: the topic.
    :param stamp_ns: its header's stamp [ns].
    :return: the message, or None.
    """
    return next((recorded.message for recorded in read_messages(bag, topic)
                 if recorded.stamp_ns == stamp_ns), None)


def pixels_of(image: Any) -> NDArray[Any]:
    """
    Turn an image that we published into an array.

    :param image: an Image message.
    :return: (H, W) or (H, W, 3); 16UC1 becomes float32 metres with NaN for 0.
    :raises MdepthError: for another encoding.
    """
    if image.encoding not in _DTYPES:
        raise MdepthError(f'encoding must be one of {sorted(_DTYPES)}, got {image.encoding!r}')
    rows = np.asarray(image.data).reshape(image.height, image.step)
    pixels = np.ascontiguousarray(rows).view(_DTYPES[image.encoding])
    if image.encoding == '16UC1':
        pixels = np.where(pixels > 0, pixels * np.float32(0.001), np.float32(np.nan))
    if image.encoding.endswith('8') and image.encoding != 'mono8':
        return pixels.reshape(image.height, image.width, 3)
    return pixels[:, :image.width]


def points_of(cloud: Any) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """
    Turn a cloud that we published into arrays.

    :param cloud: a PointCloud2 message with x y z rgb as its first 16 bytes.
    :return: (N, 3) finite points [m] and (N, 3) their RGB colours.
    """
    records = np.asarray(cloud.data).reshape(-1, cloud.point_step)[:, :16]
    xyz = np.ascontiguousarray(records[:, :12]).view('<f4')
    finite = np.isfinite(xyz).all(axis=1)
    return xyz[finite], records[finite][:, [14, 13, 12]]


def diagnostic_values(bag: Path, name: str) -> list[dict[str, str]]:
    """
    Read what a status said.

    :param bag: the recording.
    :param name: of the status; other nodes publish to /diagnostics, too.
    :return: its keys and values each time, in order.
    """
    return [{pair.key: pair.value for pair in status.values}
            for recorded in read_messages(bag, '/diagnostics')
            for status in recorded.message.status if status.name == name]
