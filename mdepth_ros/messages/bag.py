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

"""Open any bag and find the camera in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
import posixpath
from typing import Any

from mdepth_ros.errors import one_line
from mdepth_ros.messages.bag_reader import BagError, BagReader, BrokenMessageError
from mdepth_ros.messages.depth_images import is_depth
from mdepth_ros.messages.type_names import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE, ODOMETRY
from rosbags.highlevel import AnyReaderError
from rosbags.typesys import get_typestore, Stores
from rosbags.typesys.store import Typestore

ROS2_SUFFIXES = ('.mcap', '.db3')
SUFFIXES = ('.bag', *ROS2_SUFFIXES)


@dataclass(frozen=True)
class BagTopics:
    """Topics of one camera in a bag; None where there is none."""

    image: str
    compressed: bool
    camera_info: str | None
    odometry: str | None
    depth: str | None = None


def is_bag(path: Path) -> bool:
    """
    Whether this looks like a bag, in capitals, too: :func:`open_bag` says what to call it.

    :param path: a file, or the folder of a ROS 2 bag, which may have lost its metadata.
    """
    if path.is_dir():
        metadata = path / 'metadata.yaml'
        return ((metadata.is_file() and b'rosbag2_bagfile_information' in metadata.read_bytes())
                or any(file.suffix.lower() in ROS2_SUFFIXES for file in path.iterdir()))
    return path.suffix.lower() in SUFFIXES


def open_bag(path: Path) -> BagReader:
    """
    Open a bag: ROS 1 ``.bag``, or ROS 2 sqlite3 or mcap, as a folder or a single file.

    :param path: the bag.
    :return: an opened reader; call ``close()``, as ``contextlib.closing`` does.
    :raises BagError: if it is missing, empty or not a bag.
    """
    if not path.exists():
        raise BagError(f'no bag at {path}')
    # Humble's sqlite3 bags carry no type definitions.
    try:
        reader = BagReader(_files(path), default_typestore=ros2_types())
    except (AnyReaderError, OSError) as error:
        raise BagError(f'{path} is not a readable bag: {one_line(error)}') from error
    reader.open()
    return reader


def _files(path: Path) -> list[Path]:
    """Return what to read: a bag that has lost its metadata is the files that it still has."""
    files = [path]
    if path.is_dir() and not (path / 'metadata.yaml').is_file():
        files = sorted(file for file in path.iterdir()
                       if file.suffix.lower() in ROS2_SUFFIXES) or files
    for file in files:
        if file.is_file() and file.suffix not in SUFFIXES:  # rosbags reads no other
            raise BagError(f'{file} is no bag by its name, which must end in '
                           f'{", ".join(SUFFIXES)}, in lower case')
    return files


def find_topics(
    reader: BagReader, image: str | None = None, camera_info: str | None = None,
    odometry: str | None = None, depth: str | None = None,
) -> BagTopics:
    """
    Find the camera's topics; what is given is checked, the rest is found.

    :param reader: an opened bag.
    :param image: topic of raw or compressed images; needed if there are several cameras.
    :param camera_info: by default the one beside the image topic, or the only one.
    :param odometry: by default the only one.
    :param depth: true depth of the images; by default the only depth topic.
    :return: the topics; all but ``image`` are None where the bag has none, or several.
    :raises BagError: if a given topic is not there, or the image topic is not unique.
    """
    depths = _depth_topics(reader)
    image = image or _only_image(reader, depths if depth is None else [*depths, depth])
    kind = _check_topic(reader, image, (IMAGE, COMPRESSED_IMAGE))
    if camera_info is not None:
        _check_topic(reader, camera_info, (CAMERA_INFO,))
    else:
        camera_info = _camera_info_of(reader, image)
    if odometry is not None:
        _check_topic(reader, odometry, (ODOMETRY,))
    else:
        odometry = _only(topics_of_type(reader, ODOMETRY))
    if depth is not None:
        _check_topic(reader, depth, (IMAGE, COMPRESSED_IMAGE))
    else:
        depth = _only([name for name in depths if name != image])
    return BagTopics(image, kind == COMPRESSED_IMAGE, camera_info, odometry, depth)


def no_camera_info(reader: BagReader, image: str) -> str:
    """
    Say that no CameraInfo is known to be that of an image topic, and which there are.

    :param reader: an opened bag.
    :param image: the topic.
    """
    others = topics_of_type(reader, CAMERA_INFO)
    return f'no CameraInfo for {image}' + (
        f'; --camera-info-topic chooses among {", ".join(others)}' if others else '')


def topics_of_type(reader: BagReader, kind: str) -> list[str]:
    """
    Find all topics that have messages of a type.

    :param reader: an opened bag.
    :param kind: as ``ODOMETRY``.
    :return: their names, sorted.
    """
    return sorted({c.topic for c in reader.connections if c.msgtype == kind and c.msgcount})


def first_message(reader: BagReader, topic: str) -> Any:
    """
    Read the first message of a topic.

    :param reader: an opened bag.
    :param topic: its name.
    :return: the message.
    :raises BagError: if there is none, or it is broken.
    """
    for connection, _, raw in reader.messages_on(topic):
        return reader.deserialize(raw, connection.msgtype)
    raise BagError(f'{reader.paths[0]} has no message on {topic}')


def as_cdr(reader: BagReader, raw: bytes, msgtype: str) -> bytes:
    """
    Return a bag's message as ROS 2 sends it.

    :param reader: the opened bag.
    :param raw: serialised message of the bag.
    :param msgtype: its type, as ``sensor_msgs/msg/Image``.
    :return: CDR bytes: the same ones for a ROS 2 bag.
    """
    # The layout to convert to, so not the bag's own types: their Header has a `seq`.
    return raw if reader.is2 else bytes(ros2_types().ros1_to_cdr(raw, msgtype))


@cache
def ros2_types() -> Typestore:
    """Message types for bags that carry none; those of a camera are alike in all of ROS 2."""
    return get_typestore(Stores.ROS2_HUMBLE)


def _image_topics(reader: BagReader) -> list[str]:
    """Names of the cameras' topics; of one camera's raw and compressed topics, the raw one."""
    raw = topics_of_type(reader, IMAGE)
    return raw + [name for name in topics_of_type(reader, COMPRESSED_IMAGE)
                  if posixpath.dirname(name) not in raw]


def _depth_topics(reader: BagReader) -> list[str]:
    """Those of several image topics whose first message is a depth image."""
    topics = _image_topics(reader)
    if len(topics) == 1:
        return []
    return [topic for topic in topics if _is_depth(reader, topic)]


def _is_depth(reader: BagReader, topic: str) -> bool:
    """Whether its first message is a depth image; a broken one is none."""
    try:
        return is_depth(topic, first_message(reader, topic))
    except BrokenMessageError:
        return False


def _only_image(reader: BagReader, depths: Sequence[str]) -> str:
    """Find the one camera."""
    found = [topic for topic in _image_topics(reader) if topic not in depths]
    if len(found) != 1:
        have = ', '.join(found) or ', '.join(sorted({c.topic for c in reader.connections}))
        problem = (f'several image topics, choose one with --image-topic: {have}' if found
                   else f'no Image or CompressedImage topic, only: {have}')
        raise BagError(f'{reader.paths[0]} has {problem}')
    return found[0]


def _only(topics: Sequence[str]) -> str | None:
    """Return the topic, if there is just one."""
    return topics[0] if len(topics) == 1 else None


def _camera_info_of(reader: BagReader, image: str) -> str | None:
    """Find the CameraInfo by image_transport's naming rule, else the only one there is."""
    infos = topics_of_type(reader, CAMERA_INFO)
    parent = posixpath.dirname(image)
    for folder in (parent, posixpath.dirname(parent)):
        if posixpath.join(folder, 'camera_info') in infos:
            return posixpath.join(folder, 'camera_info')
    return _only(infos)


def _check_topic(reader: BagReader, topic: str, types: Sequence[str]) -> str:
    """Return the type of a topic that the user named, if it is one of these."""
    found = {c.topic: c.msgtype for c in reader.connections}
    if topic not in found:
        raise BagError(f'{reader.paths[0]} has no topic {topic!r}, only: '
                       + ', '.join(sorted(found)))
    if found[topic] not in types:
        raise BagError(f'{topic} is {found[topic]}, expected {" or ".join(types)}')
    return found[topic]
