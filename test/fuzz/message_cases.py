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

"""Camera messages that no driver should send, as the bytes that DDS carries."""

from dataclasses import dataclass
import math

import cv2
from image_claims import claiming
from mdepth_ros.engine.camera import Camera, COEFFICIENTS
from mdepth_ros.messages.images import BYTES_PER_PIXEL
from mdepth_ros.ros.camera_info import raw_info
from mutate import changed_bytes, TEXTS
import numpy as np
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

WIDTH, HEIGHT = 64, 48
FRAME = 'camera_optical_frame'
START_S = 1_000
CAMERA = Camera.from_fov(WIDTH, HEIGHT, 80.0)
SIDES = (0, 1, 2, 3, 63, 65, 32767, 40000, 2**16, 2**31, 2**32 - 1)
FLOATS = (0.0, -0.0, 1.0, -1.0, 5e-324, 1e-300, 1e-30, 1e-6, 1e6, 1e30, 1e300, 1.7e308,
          math.inf, -math.inf, math.nan)
ENCODINGS = (*BYTES_PER_PIXEL, '32FC1', '16UC1', 'RGB8', 'nv21', '8UC4', '64FC2')
FORMATS = ('', 'jpg', 'PNG', 'rgb8; jpeg compressed rgb8', 'bgr8; png compressed bgr8', ';',
           'bayer_rggb8; png compressed', 'mono8; jpeg compressed', '16UC1; compressedDepth png')
MODELS = (*COEFFICIENTS, 'double_sphere', 'PLUMB_BOB')
KINDS = {'image': Image, 'compressed': CompressedImage, 'info': CameraInfo}


@dataclass(frozen=True)
class MessageCase:
    """The kind of a message, and its bytes."""

    kind: str
    cdr: bytes


def make_case(rng, kinds=tuple(KINDS)):
    """Draw a message: valid in few cases, with changed fields in most, changed bytes in some."""
    kind = rng.choice(kinds)
    message = {'image': valid_image, 'compressed': valid_compressed, 'info': valid_info}[kind](rng)
    set_header(message, START_S, 100_000_000)
    change = {'image': _change_image, 'compressed': _change_compressed, 'info': _change_info}[kind]
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        change(rng, message) if rng.random() < 0.8 else _change_header(rng, message)
    cdr = serialize_message(message)
    if rng.random() < 0.25:
        cdr = cdr[:4] + changed_bytes(rng, cdr[4:]) if rng.random() < 0.9 else changed_bytes(
            rng, cdr)
    return MessageCase(kind, bytes(cdr))


def pixels(rng, width=WIDTH, height=HEIGHT):
    """(H, W, 3) uint8 blots."""
    blots = np.frombuffer(rng.randbytes(8 * 6 * 3), np.uint8).reshape(6, 8, 3)
    return np.asarray(cv2.resize(blots, (width, height), interpolation=cv2.INTER_CUBIC))


def valid_image(rng):
    encoding = rng.choice(tuple(BYTES_PER_PIXEL))
    width, height = rng.choice(((WIDTH, HEIGHT),) * 8 + ((1, 40000), (40000, 2), (2, 2), (6, 4)))
    step = width * BYTES_PER_PIXEL[encoding] + rng.choice((0, 0, 5))
    return Image(width=width, height=height, encoding=encoding, step=step,
                 is_bigendian=rng.choice((0, 1, 255)), data=rng.randbytes(step * height))


def valid_compressed(rng):
    image = pixels(rng)
    extension, image = rng.choice((
        ('.png', image), ('.jpg', image), ('.png', image[..., 0]), ('.jpg', image[..., 0]),
        ('.png', np.dstack([image, image[..., 0]])), ('.png', image.astype(np.uint16) * 257)))
    return CompressedImage(format=extension[1:], data=cv2.imencode(extension, image)[1].tobytes())


def valid_info(rng):
    info = raw_info(CAMERA)
    info.distortion_model = rng.choice(('plumb_bob', 'rational_polynomial', 'equidistant'))
    count = {'plumb_bob': 5, 'rational_polynomial': 8, 'equidistant': 4}[info.distortion_model]
    info.d = [rng.uniform(-0.2, 0.2) for _ in range(count)]
    return info


def set_header(message, sec, nanosec, frame_id=FRAME):
    message.header.stamp.sec, message.header.stamp.nanosec = sec, nanosec
    message.header.frame_id = frame_id


def _change_header(rng, message):
    seconds = rng.choice((0, -1, -2**31, 2**31 - 1, START_S - 5, START_S, START_S + 100))
    nanoseconds = rng.choice((0, 1, 999_999_999, 10**9, 2**32 - 1))
    set_header(message, seconds, nanoseconds, rng.choice((FRAME, *_texts())))


def _change_image(rng, image):
    name = rng.choice(('width', 'height', 'step', 'encoding', 'is_bigendian', 'data', 'size'))
    if name in ('width', 'height', 'step'):
        setattr(image, name, rng.choice((*SIDES, rng.randrange(300))))
    elif name == 'encoding':
        image.encoding = rng.choice((*ENCODINGS, *_texts()))
    elif name == 'is_bigendian':
        image.is_bigendian = rng.randrange(256)
    elif name == 'data':
        image.data = rng.choice((b'', image.data[:-1], image.data[:len(image.data) // 2],
                                 bytes(image.data) + rng.randbytes(99), b'\xff'))
    else:  # sizes that agree with each other and with nothing else
        image.width, image.height, image.step = (rng.choice((*SIDES, 10)) for _ in range(3))


def _change_compressed(rng, image):
    if rng.random() < 0.3:
        image.format = rng.choice((*FORMATS, *_texts()))
    elif rng.random() < 0.4:
        image.data = _with_size(rng, bytes(image.data))
    else:
        image.data = changed_bytes(rng, bytes(image.data))


def _with_size(rng, data):
    """Make the header of a PNG or JPEG file claim another size."""
    sides = [rng.choice((0, 1, 5000, 16000, 30000, 65535, 2**31 - 1)) for _ in range(2)]
    return claiming(data, *sides)


def _change_info(rng, info):
    name = rng.choice(('k', 'p', 'r', 'd', 'k', 'p', 'model', 'size', 'binning', 'roi'))
    if name in ('k', 'p', 'r'):
        values = np.array(getattr(info, name))
        which = rng.choice((slice(None), rng.randrange(values.size), rng.randrange(values.size)))
        values[which] = rng.choice(FLOATS)
        setattr(info, name, values)
    elif name == 'd':
        info.d = [rng.choice((*FLOATS, 0.1)) for _ in range(rng.choice((0, 1, 4, 5, 8, 12, 999)))]
    elif name == 'model':
        info.distortion_model = rng.choice((*MODELS, *_texts()))
        info.d = [0.1] * rng.choice((0, 4, 5, 8, 12, 14))
    elif name == 'size':
        info.width, info.height = (rng.choice((*SIDES, WIDTH)) for _ in range(2))
    elif name == 'binning':
        info.binning_x, info.binning_y = (rng.choice((*SIDES, 4)) for _ in range(2))
    else:
        for field in ('x_offset', 'y_offset', 'width', 'height'):
            setattr(info.roi, field, rng.choice((0, 0, *SIDES, 16)))


def _texts():
    """Texts that a message can carry."""
    return [text for text in TEXTS if '\0' not in text]
