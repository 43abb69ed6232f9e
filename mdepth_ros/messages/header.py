"""The header that every camera message starts with."""

from typing import Protocol

# Of images that do not say theirs, as REP 103 wants it to end.
OPTICAL_FRAME = 'camera_optical_frame'


class Stamp(Protocol):
    """A builtin_interfaces/Time; rosbags names the parts of ROS 1's time the same way."""

    sec: int
    nanosec: int


class Header(Protocol):
    """A std_msgs/Header."""

    stamp: Stamp
    frame_id: str


def nanoseconds(stamp: Stamp) -> int:
    """
    Turn a stamp into one number.

    :param stamp: of a header.
    :return: the same time [ns].
    """
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
