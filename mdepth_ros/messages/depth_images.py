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

"""Depth messages to metres, and metres to millimetres."""

import struct

from mdepth_ros.errors import BadImage
from mdepth_ros.messages.image_file import COMPRESSED, decode_file
from mdepth_ros.messages.images import CompressedImage, Image, rows_of
import numpy as np
from numpy.typing import NDArray

Depth = NDArray[np.float32]

MILLIMETRES = ('16UC1', 'mono16')
MAX_MILLIMETRES = 65535
BYTES_PER_PIXEL = {'32FC1': 4, **dict.fromkeys(MILLIMETRES, 2)}
# compressed_depth_image_transport puts a format and two floats before its PNG.
CONFIG_HEADER = struct.Struct('<iff')


def is_depth(topic: str, message: Image | CompressedImage) -> bool:
    """
    Tell a depth image from a picture.

    :param topic: its name, which decides about mono16: that may be a grey picture, too.
    :param message: any image of the topic.
    :return: whether it holds depth.
    """
    encoding = _encoding(message)
    if isinstance(message, CompressedImage) and 'compressedDepth' in message.format:
        return True
    return encoding in ('32FC1', '16UC1') or (encoding == 'mono16' and 'depth' in topic.lower())


def decode_depth(message: Image | CompressedImage) -> Depth:
    """
    Decode a depth image.

    :param message: 32FC1 [m], or 16UC1 or mono16 [mm]; raw, or as PNG in the ways of
        ``compressed`` and ``compressedDepth``.
    :return: (H, W) depth [m]; NaN where there is none: 0, negative, NaN and Inf.
    :raises BadImage: for another encoding, or if size, step and data do not agree.
    """
    encoding = _encoding(message)
    if encoding not in BYTES_PER_PIXEL:
        raise BadImage(f'depth must be encoded as {", ".join(BYTES_PER_PIXEL)}, '
                       f'got {encoding!r}')
    values = (_decode_compressed(message, encoding) if isinstance(message, CompressedImage)
              else _decode_raw(message, encoding))
    metres = values.astype(np.float32)
    if encoding in MILLIMETRES:
        metres *= np.float32(0.001)
    return np.where(np.isfinite(metres) & (metres > 0), metres, np.float32(np.nan))


def to_millimetres(depth: Depth) -> NDArray[np.uint16]:
    """
    Turn depth into whole millimetres.

    :param depth: (H, W) float32 [m].
    :return: (H, W), rounded; 0 (invalid) for NaN, Inf, negative and more than 65.535 m.
    """
    with np.errstate(over='ignore'):  # becomes Inf, which is invalid below
        millimetres = depth * np.float32(1000.0) + np.float32(0.5)
    # NaN compares False; a clamp to the largest value would be a wall at 65 m.
    valid = (millimetres >= 0.5) & (millimetres < MAX_MILLIMETRES + 1)
    return np.where(valid, millimetres, 0).astype('<u2')


def _encoding(message: Image | CompressedImage) -> str:
    """Return the encoding of the pixels; compressed images name it before a semicolon."""
    if isinstance(message, CompressedImage):
        return message.format.partition(';')[0].strip()
    return message.encoding


def _decode_raw(message: Image, encoding: str) -> NDArray[np.generic]:
    """Read (H, W) numbers in the byte order of the message."""
    kind = 'f4' if encoding == '32FC1' else 'u2'
    rows = rows_of(message, BYTES_PER_PIXEL[encoding])
    return np.ascontiguousarray(rows).view(('>' if message.is_bigendian else '<') + kind)


def _decode_compressed(message: CompressedImage, encoding: str) -> NDArray[np.generic]:
    """Read (H, W) numbers from a PNG; 32FC1 is stored as its inverse."""
    data = bytes(message.data)
    quantisation = (0.0, 0.0)
    if 'compressedDepth' in message.format:
        if len(data) < CONFIG_HEADER.size:
            raise BadImage(f'depth image of format {message.format!r} has only {len(data)} bytes')
        quantisation = CONFIG_HEADER.unpack_from(data)[1:]
        data = data[CONFIG_HEADER.size:]
    elif encoding == '32FC1':
        raise BadImage(f'depth image of format {message.format!r}: 32FC1 needs compressedDepth')
    image = decode_file(data, f'depth image of format {message.format!r}', formats=COMPRESSED)
    if image.ndim != 2 or image.dtype != np.uint16:
        raise BadImage(f'depth image of format {message.format!r} must be a 16-bit grey PNG, '
                       f'got {image.shape} {image.dtype}')
    if encoding != '32FC1':
        return np.asarray(image)
    a, b = quantisation
    with np.errstate(divide='ignore', invalid='ignore'):
        return np.where(image > 0, a / (image - np.float64(b)), np.nan)
