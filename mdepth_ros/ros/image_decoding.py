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

"""Images to RGB: the common encodings by us, the rest by cv_bridge where installed."""

import cv2
from mdepth_ros.errors import BadImage
from mdepth_ros.messages import images
from mdepth_ros.messages.images import BYTES_PER_PIXEL, Pixels
import numpy as np
from sensor_msgs.msg import CompressedImage, Image


def decode(message: Image | CompressedImage) -> Pixels:
    """
    Decode an image.

    :param message: raw or compressed; rosbags' messages do, too.
    :return: (H, W, 3) uint8 RGB, contiguous.
    :raises BadImage: as :func:`decode_image` and :func:`decode_compressed` do.
    """
    is_compressed = isinstance(message, images.CompressedImage)
    return images.decode_compressed(message) if is_compressed else decode_image(message)


def decode_image(message: Image) -> Pixels:
    """
    Decode a raw image.

    :param message: any encoding of ``BYTES_PER_PIXEL``, or of cv_bridge where it is installed.
    :return: (H, W, 3) uint8 RGB, contiguous. Where the message holds just that it is a view.
    :raises BadImage: if the encoding is not supported, or size, step and data do not agree.
    """
    if message.encoding in BYTES_PER_PIXEL:
        return images.decode_image(message)
    return _decode_with_cv_bridge(message)


def _decode_with_cv_bridge(message: Image) -> Pixels:
    """Decode an encoding that is not ours."""
    # A cv_bridge built for another NumPy fails late: the import of its compiled half is swallowed,
    # and done again with the first image.
    try:
        from cv_bridge import CvBridge
        bridge = CvBridge()
        pixels = bridge.imgmsg_to_cv2(message, 'rgb8')
    except (ImportError, AttributeError) as error:
        raise BadImage(
            f'encoding {message.encoding!r} is not supported, supported are '
            f'{", ".join(BYTES_PER_PIXEL)}; others need cv_bridge, which is not usable here '
            f'({error})') from error
    # CvBridgeError is a TypeError.
    except (TypeError, ValueError, RuntimeError, SystemError, cv2.error) as error:
        raise BadImage(f'cv_bridge cannot turn a {message.encoding!r} image of {message.width} x '
                       f'{message.height} into rgb8: {error}') from error
    return np.ascontiguousarray(pixels)
