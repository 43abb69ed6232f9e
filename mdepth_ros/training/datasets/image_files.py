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

"""Images, depth and masks from files: whole, of the right size and kind, or an error."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
from mdepth_ros.errors import BadImage, one_line
from mdepth_ros.messages.image_file import decode_file
from mdepth_ros.training.datasets.sequence import DataError
from mdepth_ros.whole_file import write_whole
import numpy as np
from numpy.typing import NDArray

# An EXIF orientation would turn the image away from its intrinsics.
COLOUR = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def read_rgb(path: Path, width: int, height: int) -> NDArray[np.uint8]:
    """
    Read a colour image as its pixels lie in the file.

    :param path: JPEG, PNG, BMP, PPM, PGM or TIFF.
    :param width: what its camera says [px].
    :param height: what its camera says [px].
    :return: (H, W, 3) uint8 RGB.
    :raises DataError: naming the file, if it is missing, cut off, broken or of another size.
    """
    bgr = _decode(path, COLOUR)
    if bgr.shape[:2] != (height, width):
        raise DataError(f'{one_line(path)} is {bgr.shape[1]} x {bgr.shape[0]}, '
                        f'its camera {width} x {height}')
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def read_depth(path: Path, unit_m: float) -> NDArray[np.float32]:
    """
    Read depth.

    :param path: 16-bit PNG of one channel; 0 is none.
    :param unit_m: metres per count.
    :return: (H, W) [m], NaN where there is none.
    :raises DataError: naming the file, if it is missing, cut off, broken or of another kind.
    """
    counts = _decode(path, cv2.IMREAD_UNCHANGED)
    if counts.dtype != np.uint16 or counts.ndim != 2:
        raise DataError(f'{one_line(path)} must be a 16-bit PNG of one channel, '
                        f'got {counts.dtype} {counts.shape}')
    return np.where(counts > 0, counts * np.float32(unit_m), np.nan).astype(np.float32)


def read_mask(path: Path) -> NDArray[np.bool_]:
    """
    Read a mask.

    :param path: PNG of one channel.
    :return: (H, W), True where the file is not 0.
    :raises DataError: naming the file, if it is missing, cut off, broken or of another kind.
    """
    values = _decode(path, cv2.IMREAD_UNCHANGED)
    if values.ndim != 2:
        raise DataError(f'{one_line(path)} must be a mask of one channel, got {values.shape}')
    return np.asarray(values > 0)


def read_size(path: Path) -> tuple[int, int]:
    """
    Read the size of an image that is whole, as its pixels lie in the file.

    :param path: as of :func:`read_rgb`.
    :return: width and height [px].
    :raises DataError: naming the file, if it is missing, cut off or broken.
    """
    height, width = _decode(path, COLOUR).shape[:2]
    return width, height


def write_image(
    path: Path, pixels: NDArray[Any], how: Sequence[int] = (), advice: str = ''
) -> None:
    """
    Write a whole image, or none of that name, and its folder.

    :param path: its suffix says the format.
    :param pixels: in OpenCV's order of colours.
    :param how: OpenCV's parameters of that format.
    :param advice: what to add where the disk does not take it.
    :raises MdepthError: if the disk does not take it; cv2.imwrite would not say why, or that.
    """
    _, data = cv2.imencode(path.suffix, pixels, how)
    write_whole(path, data.tobytes(), advice)


def _decode(path: Path, flags: int) -> NDArray[Any]:
    """Decode a whole file."""
    try:
        return decode_file(path.read_bytes(), one_line(path), flags)
    except BadImage as error:
        raise DataError(str(error)) from error
    except OSError as error:
        raise DataError(f'{one_line(path)} is not readable: {error.strerror}') from error
