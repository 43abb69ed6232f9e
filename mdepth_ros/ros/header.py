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

"""Headers of the messages that we make."""

from std_msgs.msg import Header


def header_at(stamp_ns: int, frame_id: str) -> Header:
    """
    Make a header.

    :param stamp_ns: its stamp [ns].
    :param frame_id: its frame.
    :return: the header.
    """
    header = Header(frame_id=frame_id)
    header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
    return header


def copy_of(header: Header) -> Header:
    """
    Copy stamp and frame, so that no two messages share a header that someone may change.

    :param header: of the input image.
    :return: an equal one.
    """
    copy = Header(frame_id=header.frame_id)
    copy.stamp.sec, copy.stamp.nanosec = header.stamp.sec, header.stamp.nanosec
    return copy
