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

"""Image files that say to be of another size than they are."""

import struct
import zlib

import cv2
import numpy as np


def claiming(data, width, height):
    """
    Return the same file with another size in its header.

    JPEG holds at most 65535, which the size is cut to; a BMP of 32 bits keeps the order of its
    rows. What is none of JPEG, PNG, BMP, PPM, PGM, PBM or little-endian TIFF, or not any longer,
    stays as it is.
    """
    if data.startswith(b'\x89PNG'):
        header = b'IHDR' + struct.pack('>II', width, height) + data[24:29]
        # With a wrong checksum no decoder would look at it.
        return data[:12] + header + zlib.crc32(header).to_bytes(4, 'big') + data[33:]
    if data.startswith(b'\xff\xd8'):
        at = max(data.find(b'\xff\xc0'), data.find(b'\xff\xc2'))
        size = struct.pack('>HH', min(height, 65535), min(width, 65535))
        return data[:at + 5] + size + data[at + 9:] if at > 0 else data
    if data.startswith(b'BM'):
        sign = -1 if struct.unpack('<i', data[22:26])[0] < 0 else 1
        return data[:18] + struct.pack('<ii', width, sign * height) + data[26:]
    if data.startswith(b'II*\0'):
        for tag, size in ((256, width), (257, height)):
            at = max(data.find(struct.pack('<HHI', tag, kind, 1)) for kind in (3, 4))
            data = data[:at] + struct.pack('<HHII', tag, 4, 1, size) + data[at + 12:]
        return data
    image = None
    if data[:1] == b'P':
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        return data
    return (data.replace(b'%d' % image.shape[1], b'%d' % width, 1)
            .replace(b'%d' % image.shape[0], b'%d' % height, 1))
