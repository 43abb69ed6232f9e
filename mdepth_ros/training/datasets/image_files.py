"""Images, depth and masks from files: whole, of the right size and kind, or an error."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mdepth_ros.training.datasets.sequence import DataError

JPEG_START, JPEG_SCAN, JPEG_END = b'\xff\xd8\xff', b'\xff\xda', b'\xff\xd9'
PNG_START, PNG_END = b'\x89PNG\r\n\x1a\n', b'IEND'


def read_rgb(path: Path, width: int, height: int) -> NDArray[np.uint8]:
    """
    Read a colour image as its pixels lie in the file.

    :param path: JPEG or PNG, or another format that OpenCV reads.
    :param width: what its camera says [px].
    :param height: what its camera says [px].
    :return: (H, W, 3) uint8 RGB.
    :raises DataError: naming the file, if it is missing, cut off, broken or of another size.
    """
    # An EXIF orientation would turn the image away from its intrinsics.
    bgr = _decode(path, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if bgr.shape[:2] != (height, width):
        raise DataError(f'{path} is {bgr.shape[1]} x {bgr.shape[0]}, '
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
        raise DataError(f'{path} must be a 16-bit PNG of one channel, '
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
        raise DataError(f'{path} must be a mask of one channel, got {values.shape}')
    return np.asarray(values > 0)


def _decode(path: Path, flags: int) -> NDArray[Any]:
    """Decode a whole file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f'{path} is not readable: {error.strerror}') from error
    if _is_cut_off(data):
        raise DataError(f'{path} is cut off: {len(data)} bytes without an end marker')
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error as error:
        raise DataError(f'{path} is broken: {error.err}') from error
    if image is None:
        raise DataError(f'{path} is not an image that OpenCV can decode ({len(data)} bytes)')
    return image


def _is_cut_off(data: bytes) -> bool:
    """Tell half a JPEG or PNG: libjpeg fills the missing part with grey and reports nothing."""
    if data.startswith(JPEG_START):
        # A thumbnail in the header has markers of its own; those of the image come last.
        return data.rfind(JPEG_END) < max(data.rfind(JPEG_SCAN), 0)
    return data.startswith(PNG_START) and data.rfind(PNG_END) < 0
