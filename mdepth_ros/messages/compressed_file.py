"""JPEG and PNG files, decoded only if they are whole and no larger than cameras make them."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mdepth_ros.errors import BadImage

Bytes = NDArray[np.uint8]

# First bytes of a file, and the marker without which it was cut off.
COMPRESSED = {
    'jpeg': (b'\xff\xd8\xff', b'\xff\xd9'),
    'png': (b'\x89PNG\r\n\x1a\n', b'IEND'),
}
# A few bytes may claim a billion pixels, which take seconds and gigabytes.
MOST_PIXELS = 2**26
# Markers of JPEG without a length (beside those of restarts), and those that begin a frame.
_BARE = {0x00, 0x01, *range(0xD0, 0xDA)}
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def decode_file(data: Bytes, text: str) -> NDArray[Any]:
    """
    Decode a file as its pixels lie in it.

    :param data: (N,) its bytes.
    :param text: the message's format, for errors.
    :return: (H, W) or (H, W, C), of 8 or 16 bits; colours are in OpenCV's order.
    :raises BadImage: if it is no JPEG or PNG file, not whole, broken, or of too many pixels.
    """
    _check_whole(data, text)
    size = claimed_size(data.tobytes())
    if size is None:
        raise BadImage(f'broken image of format {text!r}: no size in its {data.size} bytes')
    if not _parts_fit(data.tobytes()):
        raise BadImage(f'broken image of format {text!r}: its parts are longer than its '
                       f'{data.size} bytes')
    if size[0] * size[1] > MOST_PIXELS:
        raise BadImage(f'image of format {text!r} must have at most {MOST_PIXELS} pixels, its '
                       f'header says {size[0]} x {size[1]}')
    try:
        # UNCHANGED: the others turn the image as its EXIF says, away from its camera_info.
        image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise BadImage(f'broken image of format {text!r}: {error.err}') from error
    if image is None:
        raise BadImage(f'broken image of format {text!r}: OpenCV cannot decode its '
                       f'{data.size} bytes')
    return image


def claimed_size(data: bytes) -> tuple[int, int] | None:
    """
    Read what size a file says it has, without decoding it.

    :param data: a JPEG or PNG file.
    :return: width and height [px]; None where it does not say.
    """
    if data.startswith(COMPRESSED['png'][0]):
        if data[12:16] != b'IHDR' or len(data) < 24:
            return None
        return int.from_bytes(data[16:20], 'big'), int.from_bytes(data[20:24], 'big')
    return _jpeg_size(data)


def _parts_fit(data: bytes) -> bool:
    """Whether the parts of a PNG end with the file: OpenCV takes memory for what they claim."""
    at = len(COMPRESSED['png'][0])
    if data[:at] != COMPRESSED['png'][0]:
        return True
    while at + 12 <= len(data):
        if data[at + 4:at + 8] == COMPRESSED['png'][1]:
            return True
        at += 12 + int.from_bytes(data[at:at + 4], 'big')
    return False


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
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


def _check_whole(data: Bytes, text: str) -> None:
    """Refuse what is no JPEG or PNG file, or only the first part of one."""
    for name, (start, end) in COMPRESSED.items():
        if data[:len(start)].tobytes() == start:
            # libjpeg fills the missing part with grey and reports nothing. The marker is not at
            # the very end where a driver pads its buffer.
            if data.tobytes().rfind(end) < 0:
                raise BadImage(f'truncated {name} image of format {text!r}: {data.size} bytes '
                               f'without an end marker')
            return
    raise BadImage(f'compressed image must be one of {", ".join(COMPRESSED)}, got format '
                   f'{text!r} with {data.size} bytes starting {data[:8].tobytes().hex(" ")!r}')
