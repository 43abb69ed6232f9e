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

"""Camera messages to RGB: the common encodings, JPEG and PNG."""

from typing import Any, Protocol, runtime_checkable

import cv2
from mdepth_ros.errors import BadImage
from mdepth_ros.messages.header import Header
from mdepth_ros.messages.image_file import COMPRESSED, decode_file
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

BYTES_PER_PIXEL = {
    'rgb8': 3, 'bgr8': 3, 'rgba8': 4, 'bgra8': 4, 'mono8': 1, 'mono16': 2, '8UC1': 1, '8UC3': 3,
    'bayer_rggb8': 1, 'bayer_bggr8': 1, 'bayer_gbrg8': 1, 'bayer_grbg8': 1,
    'yuv422': 2, 'uyvy': 2, 'yuv422_yuy2': 2, 'yuyv': 2,
}
# cvtColor codes to RGB. OpenCV names a Bayer pattern after its second row, second column on; the
# names that read like ours are newer than Humble's OpenCV.
TO_RGB = {
    'bgr8': cv2.COLOR_BGR2RGB, '8UC3': cv2.COLOR_BGR2RGB,
    'rgba8': cv2.COLOR_RGBA2RGB, 'bgra8': cv2.COLOR_BGRA2RGB,
    'mono8': cv2.COLOR_GRAY2RGB, 'mono16': cv2.COLOR_GRAY2RGB, '8UC1': cv2.COLOR_GRAY2RGB,
    'bayer_rggb8': cv2.COLOR_BayerBG2RGB, 'bayer_bggr8': cv2.COLOR_BayerRG2RGB,
    'bayer_gbrg8': cv2.COLOR_BayerGR2RGB, 'bayer_grbg8': cv2.COLOR_BayerGB2RGB,
    'yuv422': cv2.COLOR_YUV2RGB_UYVY, 'uyvy': cv2.COLOR_YUV2RGB_UYVY,
    'yuv422_yuy2': cv2.COLOR_YUV2RGB_YUY2, 'yuyv': cv2.COLOR_YUV2RGB_YUY2,
}


class Image(Protocol):
    """A sensor_msgs/Image; ``data`` is any buffer of bytes."""

    header: Header
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: Any


@runtime_checkable
class CompressedImage(Protocol):
    """A sensor_msgs/CompressedImage; ``data`` is any buffer of bytes."""

    header: Header
    format: str  # noqa: A003  ROS' name
    data: Any


def decode_image(message: Image) -> Pixels:
    """
    Decode a raw image.

    :param message: any encoding of ``BYTES_PER_PIXEL``.
    :return: (H, W, 3) uint8 RGB, contiguous. Where the message holds just that it is a view.
    :raises BadImage: if the encoding is not supported, or size, step and data do not agree.
    """
    if message.encoding not in BYTES_PER_PIXEL:
        raise BadImage(f'encoding {message.encoding!r} is not supported, supported are '
                       f'{", ".join(BYTES_PER_PIXEL)}')
    rows = rows_of(message, BYTES_PER_PIXEL[message.encoding])
    return _to_rgb(rows, message.width, message.encoding, bool(message.is_bigendian))


def decode_compressed(message: CompressedImage) -> Pixels:
    """
    Decode a JPEG or PNG image.

    :param message: compressed image; its format text tells the order of the colours.
    :return: (H, W, 3) uint8 RGB, contiguous.
    :raises BadImage: if the data is neither, or is broken.
    """
    if 'compressedDepth' in message.format:
        raise BadImage(f'format {message.format!r} is a depth image; a colour or grey image is '
                       f'needed')
    image = decode_file(bytes(message.data), f'image of format {message.format!r}',
                        formats=COMPRESSED)
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.dtype != np.uint8 or (image.ndim == 3 and image.shape[2] not in (3, 4)):
        raise BadImage(f'compressed image must hold 8 or 16 bit grey or colour, '
                       f'got {image.shape} {image.dtype}')

    # compressed_image_transport: "ENCODING; CODEC compressed bgr8". Without the trailing bgr the
    # sender gave its RGB buffer to the codec as it was, so red and blue are swapped in the file.
    encoding, _, codec = message.format.partition(';')
    rgb_in_file = encoding[:3] in ('rgb', 'bgr') and codec and 'compressed bgr' not in codec
    if image.ndim == 2:
        mosaic = encoding if encoding.startswith('bayer_') and encoding in TO_RGB else 'mono8'
        return _to_rgb(image, image.shape[1], mosaic, False)
    if image.shape[2] == 4:
        code = cv2.COLOR_RGBA2RGB if rgb_in_file else cv2.COLOR_BGRA2RGB
        return cv2.cvtColor(image, code)
    return image if rgb_in_file else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def rows_of(message: Image, bytes_per_pixel: int) -> Pixels:
    """
    View an image's bytes without the padding of its rows.

    :param message: raw image.
    :param bytes_per_pixel: of its encoding.
    :return: (H, width x bytes per pixel) uint8, a view.
    :raises BadImage: if size, step and data do not agree.
    """
    width, height, step = message.width, message.height, message.step
    what = f'{message.encoding} image of {width} x {height}'
    if width == 0 or height == 0:
        raise BadImage(f'{what}: width and height must be > 0')
    if step < width * bytes_per_pixel:
        raise BadImage(f'{what}: step must be at least {width * bytes_per_pixel} bytes, '
                       f'got {step}')
    data = np.frombuffer(message.data, np.uint8)
    if data.size < step * height:
        raise BadImage(f'{what}: data must hold step x height = {step} x {height} = '
                       f'{step * height} bytes, got {data.size}')
    return data[:step * height].reshape(height, step)[:, :width * bytes_per_pixel]


def _to_rgb(rows: Pixels, width: int, encoding: str, big_endian: bool) -> Pixels:
    """Turn rows of bytes of a known encoding into (H, W, 3) RGB."""
    height, channels = rows.shape[0], BYTES_PER_PIXEL[encoding]
    if encoding == 'rgb8':
        return np.ascontiguousarray(rows).reshape(height, width, 3)
    if channels == 2 and encoding != 'mono16' and width % 2:
        raise BadImage(f'{encoding} image must have an even width, got {width}')
    if encoding.startswith('bayer_') and (width < 2 or height < 2):
        raise BadImage(f'{encoding} image must be at least 2 x 2, got {width} x {height}')
    if encoding == 'mono16':
        rows = rows[:, 0 if big_endian else 1::2]  # the high bytes
        channels = 1
    shape = (height, width) if channels == 1 else (height, width, channels)
    return cv2.cvtColor(np.ascontiguousarray(rows).reshape(shape), TO_RGB[encoding])
