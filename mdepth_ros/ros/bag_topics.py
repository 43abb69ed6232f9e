"""Open any bag and find the camera in it."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from mdepth_ros.errors import MdepthError

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED_IMAGE = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
ODOMETRY = 'nav_msgs/msg/Odometry'


class BagError(MdepthError):
    """A bag that cannot be read or does not hold what was asked for."""


@dataclass(frozen=True)
class BagTopics:
    """Topics of one camera in a bag; None where there is none."""

    image: str
    compressed: bool
    camera_info: str | None
    odometry: str | None


def open_bag(path: Path) -> AnyReader:
    """
    Open a bag: ROS 1 ``.bag``, or ROS 2 sqlite3 or mcap, as a folder or a single file.

    :param path: the bag.
    :return: an opened reader; call ``close()``, as ``contextlib.closing`` does.
    :raises BagError: if it is missing, empty or not a bag.
    """
    if not path.exists():
        raise BagError(f'no bag at {path}')
    try:
        # Humble's sqlite3 bags carry no type definitions.
        reader = AnyReader([path], default_typestore=ros2_types())
        reader.open()
    except (AnyReaderError, OSError) as error:
        raise BagError(f'{path} is not a readable bag: {error}') from error
    if not reader.connections:
        reader.close()
        raise BagError(f'{path} holds no messages')
    return reader


def find_topics(
    reader: AnyReader, image: str | None = None, camera_info: str | None = None,
    odometry: str | None = None,
) -> BagTopics:
    """
    Find the camera's topics; what is given is checked, the rest is found.

    :param reader: an opened bag.
    :param image: topic of raw or compressed images; needed if there are several cameras.
    :param camera_info: by default the one beside the image topic, or the only one.
    :param odometry: by default the only one.
    :return: the topics; ``camera_info`` and ``odometry`` are None where the bag has none.
    :raises BagError: if a given topic is not there, or the image topic is not unique.
    """
    image = image or _only_image(reader)
    kind = _check_topic(reader, image, (IMAGE, COMPRESSED_IMAGE))
    if camera_info is not None:
        _check_topic(reader, camera_info, (CAMERA_INFO,))
    else:
        camera_info = _camera_info_of(reader, image)
    if odometry is not None:
        _check_topic(reader, odometry, (ODOMETRY,))
    else:
        odometries = _topics_of_type(reader, ODOMETRY)
        odometry = odometries[0] if len(odometries) == 1 else None
    return BagTopics(image, kind == COMPRESSED_IMAGE, camera_info, odometry)


def as_cdr(reader: AnyReader, raw: bytes, msgtype: str) -> bytes:
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


def _topics_of_type(reader: AnyReader, *types: str) -> list[str]:
    """Names of the topics of these types that hold messages."""
    return sorted({c.topic for c in reader.connections if c.msgtype in types and c.msgcount})


def _only_image(reader: AnyReader) -> str:
    """Find the one camera; of one camera's raw and compressed topics, the raw one."""
    raw = _topics_of_type(reader, IMAGE)
    compressed = [name for name in _topics_of_type(reader, COMPRESSED_IMAGE)
                  if posixpath.dirname(name) not in raw]
    found = raw + compressed
    if len(found) != 1:
        have = ', '.join(found) or ', '.join(sorted({c.topic for c in reader.connections}))
        problem = (f'several image topics, choose one with --image-topic: {have}' if found
                   else f'no Image or CompressedImage topic, only: {have}')
        raise BagError(f'{reader.paths[0]} has {problem}')
    return found[0]


def _camera_info_of(reader: AnyReader, image: str) -> str | None:
    """CameraInfo by image_transport's naming rule, else the only one there is."""
    infos = _topics_of_type(reader, CAMERA_INFO)
    parent = posixpath.dirname(image)
    for folder in (parent, posixpath.dirname(parent)):
        if posixpath.join(folder, 'camera_info') in infos:
            return posixpath.join(folder, 'camera_info')
    return infos[0] if len(infos) == 1 else None


def _check_topic(reader: AnyReader, topic: str, types: Sequence[str]) -> str:
    """Return the type of a topic that the user named, if it is one of these."""
    found = {c.topic: c.msgtype for c in reader.connections}
    if topic not in found:
        raise BagError(f'{reader.paths[0]} has no topic {topic!r}, only: '
                       + ', '.join(sorted(found)))
    if found[topic] not in types:
        raise BagError(f'{topic} is {found[topic]}, expected {" or ".join(types)}')
    return found[topic]
