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

"""Image files, decoded only if they are whole and no larger than cameras make them."""

from collections.abc import Mapping
from typing import Any

import cv2
from mdepth_ros.errors import BadImage
from mdepth_ros.messages.image_size import claimed_size, JPEG, PNG, READERS
import numpy as np
from numpy.typing import NDArray

# What cameras send.
COMPRESSED: Mapping[str, tuple[bytes, ...]] = {'jpeg': (JPEG,), 'png': (PNG,)}
FORMATS: Mapping[str, tuple[bytes, ...]] = {name: starts for name, (starts, _) in READERS.items()}
# A few bytes may claim a billion pixels, which take seconds and gigabytes.
MOST_PIXELS = 2**26
JPEG_SCAN, JPEG_END, PNG_END = b'\xff\xda', b'\xff\xd9', b'IEND'


def decode_file(
    data: bytes, what: str, flags: int = cv2.IMREAD_UNCHANGED,
    formats: Mapping[str, tuple[bytes, ...]] = FORMATS,
) -> NDArray[Any]:
    """
    Decode a file.

    :param data: its bytes.
    :param what: the subject of what is said of it, as its path.
    :param flags: of ``cv2.imdecode``. Only ``IMREAD_UNCHANGED`` and ``IMREAD_IGNORE_ORIENTATION``
        do not turn the image as its EXIF says, away from its intrinsics.
    :param formats: first bytes by name; COMPRESSED for messages.
    :return: (H, W) or (H, W, C), colours in OpenCV's order.
    :raises BadImage: if it is of another format, not whole, broken, or of too many pixels.
    """
    if not data.startswith(sum(formats.values(), ())):
        raise BadImage(f'{what} must be one of {", ".join(formats)}, got {len(data)} bytes '
                       f'starting {data[:8].hex(" ")!r}')
    if _is_cut_off(data):
        raise BadImage(f'{what} is cut off: {len(data)} bytes without an end marker')
    size = claimed_size(data)
    if size is None:
        raise BadImage(f'{what} is broken: no size in its {len(data)} bytes')
    if not _parts_fit(data):
        raise BadImage(f'{what} is broken: its parts are longer than its {len(data)} bytes')
    if size[0] * size[1] > MOST_PIXELS:
        raise BadImage(f'{what} must have at most {MOST_PIXELS} pixels, its header says '
                       f'{size[0]} x {size[1]}')
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise BadImage(f'{what} is broken: {error.err}') from error
    if image is None:
        raise BadImage(f'{what} is broken: OpenCV cannot decode its {len(data)} bytes')
    return image


def _is_cut_off(data: bytes) -> bool:
    """Tell half a JPEG or PNG: libjpeg fills the missing part with grey and reports nothing."""
    if data.startswith(JPEG):
        # A thumbnail in the header has markers of its own; those of the image come last, but not
        # at the very end where a driver pads its buffer.
        return data.rfind(JPEG_END) < max(data.rfind(JPEG_SCAN), 0)
    return data.startswith(PNG) and data.rfind(PNG_END) < 0


def _parts_fit(data: bytes) -> bool:
    """Whether the parts of a PNG end with the file: OpenCV takes memory for what they claim."""
    if not data.startswith(PNG):
        return True
    at = len(PNG)
    while at + 12 <= len(data):
        if data[at + 4:at + 8] == PNG_END:
            return True
        at += 12 + int.from_bytes(data[at:at + 4], 'big')
    return False
