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

"""What size an image file says it has, read without decoding it."""

from collections.abc import Callable, Mapping
import re
from typing import Literal

Size = tuple[int, int]

# First bytes.
JPEG, PNG = b'\xff\xd8\xff', b'\x89PNG\r\n\x1a\n'
TIFF_LITTLE, TIFF_BIG = b'II*\0', b'MM\0*'
# Markers of JPEG without a length (beside those of restarts), and those that begin a frame.
_BARE = {0x00, 0x01, *range(0xD0, 0xDA)}
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Two numbers after the kind; comments and white space are in between.
_PNM_HEADER = re.compile(rb'P[1-6](?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,9})\s')
# TIFF: tags of a directory's entries, and their lengths.
_TIFF_TAGS = {256: 'width', 257: 'height', 322: 'tile width', 323: 'tile height'}
_TIFF_BYTES = {3: 2, 4: 4}


def claimed_size(data: bytes) -> Size | None:
    """
    Read what size a file says it has.

    :param data: a JPEG, PNG, BMP, PPM, PGM, PBM or TIFF file.
    :return: width and height [px]; None where it does not say, or is of another format.
    """
    return next((read(data) for starts, read in READERS.values() if data.startswith(starts)), None)


def _png_size(data: bytes) -> Size | None:
    """Width and height, which come first."""
    if data[12:16] != b'IHDR' or len(data) < 24:
        return None
    return int.from_bytes(data[16:20], 'big'), int.from_bytes(data[20:24], 'big')


def _jpeg_size(data: bytes) -> Size | None:
    """Width and height in the first frame's header; like libjpeg, over what is no marker."""
    at = 2
    while 0 <= (at := data.find(b'\xff', at)) <= len(data) - 9:
        marker = data[at + 1]
        if marker in _FRAMES:
            return (int.from_bytes(data[at + 7:at + 9], 'big'),
                    int.from_bytes(data[at + 5:at + 7], 'big'))
        if marker == 0xFF:
            at += 1
        elif marker in _BARE:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2:at + 4], 'big')
    return None


def _bmp_size(data: bytes) -> Size | None:
    """Width and height, of 16 bits in the oldest headers; rows from the top have one below 0."""
    if len(data) < 26:
        return None
    if int.from_bytes(data[14:18], 'little') < 36:
        return int.from_bytes(data[18:20], 'little'), int.from_bytes(data[20:22], 'little')
    return (abs(int.from_bytes(data[18:22], 'little', signed=True)),
            abs(int.from_bytes(data[22:26], 'little', signed=True)))


def _pnm_size(data: bytes) -> Size | None:
    """Width and height, which are text."""
    found = _PNM_HEADER.match(data)
    return None if found is None else (int(found[1]), int(found[2]))


def _tiff_size(data: bytes) -> Size | None:
    """Width and height of the first directory, or of its tiles where those are larger."""
    order: Literal['little', 'big'] = 'little' if data.startswith(TIFF_LITTLE) else 'big'

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at:at + size], order)

    at = number(4, 4)
    values = {}
    for entry in range(at + 2, min(at + 2 + 12 * number(at, 2), len(data)), 12):
        tag, size = number(entry, 2), _TIFF_BYTES.get(number(entry + 2, 2), 0)
        if tag in _TIFF_TAGS:
            values[_TIFF_TAGS[tag]] = number(entry + 8, size)
    if 'width' not in values or 'height' not in values:
        return None
    return (max(values['width'], values.get('tile width', 0)),
            max(values['height'], values.get('tile height', 0)))


# By format: the first bytes of its files, and who reads their size.
READERS: Mapping[str, tuple[tuple[bytes, ...], Callable[[bytes], Size | None]]] = {
    'jpeg': ((JPEG,), _jpeg_size), 'png': ((PNG,), _png_size), 'bmp': ((b'BM',), _bmp_size),
    'pnm': (tuple(b'P%d' % kind for kind in range(1, 7)), _pnm_size),
    'tiff': ((TIFF_LITTLE, TIFF_BIG), _tiff_size)}
