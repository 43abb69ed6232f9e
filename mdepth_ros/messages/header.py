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

"""The header that every camera message starts with."""

from typing import Protocol

from mdepth_ros.errors import BadImage

# Of images that do not say theirs, as REP 103 wants it to end.
OPTICAL_FRAME = 'camera_optical_frame'
STAMPS_END_NS = 2**31 * 10**9  # seconds are 32 bits


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


def check_stamp(stamp_ns: int) -> None:
    """
    Refuse a stamp that no header can hold.

    :param stamp_ns: of an image [ns].
    :raises BadImage: if it is not one of ROS.
    """
    if not 0 <= stamp_ns < STAMPS_END_NS:
        raise BadImage(f'the stamp must be in [0, 2**31) s, got {stamp_ns * 1e-9:.9f}')
