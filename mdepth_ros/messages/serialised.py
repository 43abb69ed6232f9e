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

"""The stamp of a serialised message that starts with a header, read and changed in its bytes."""

import struct


def stamp_of(cdr: bytes) -> int:
    """
    Read the header's stamp.

    :param cdr: serialised message, its four bytes of encapsulation included.
    :return: stamp [ns].
    """
    sec, nanosec = struct.unpack_from(_layout(cdr), cdr, 4)
    return int(sec) * 1_000_000_000 + int(nanosec)


def with_stamp(cdr: bytes, stamp_ns: int) -> bytes:
    """
    Return the message with another stamp in its header.

    :param cdr: serialised message, its four bytes of encapsulation included.
    :param stamp_ns: the new stamp [ns].
    :return: a changed copy.
    """
    changed = bytearray(cdr)
    struct.pack_into(_layout(cdr), changed, 4, *divmod(stamp_ns, 1_000_000_000))
    return bytes(changed)


def _layout(cdr: bytes) -> str:
    """Seconds and nanoseconds in the byte order of the message."""
    return '<iI' if cdr[1] & 1 else '>iI'
