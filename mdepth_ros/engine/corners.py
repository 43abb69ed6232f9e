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

"""Corners of images, and where they are in other images."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Points = NDArray[np.float32]

WORKING_WIDTH = 320  # [px], every image is searched at this
CELL = 16  # [px], of the working image; each has one corner of its own, where there is any
COARSE_WIDTH = 80  # [px], at this the shift of whole images is found
# Least eigenvalue of a corner's gradients; sensor noise of 2 % stays below it.
CORNER_STRENGTH = 2e-5
_LUCAS_KANADE: dict[str, Any] = {
    'winSize': (13, 13), 'maxLevel': 4, 'flags': cv2.OPTFLOW_USE_INITIAL_FLOW,
    'criteria': (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 0.02)}
# A point that does not come back to within this was lost [px].
_RETURN_TOLERANCE = 0.5


def working_size(width: int, height: int) -> tuple[int, int]:
    """
    Return the size at which images are searched.

    :param width: of the images [px].
    :param height: of the images [px].
    :return: width and height [px].
    """
    return WORKING_WIDTH, max(1, round(WORKING_WIDTH * height / width))


def search_image(rgb: Image) -> Image:
    """
    Prepare a frame for being searched.

    :param rgb: (H, W, 3) uint8 colours.
    :return: its working image, see :func:`working_image`.
    """
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    return working_image(grey, working_size(rgb.shape[1], rgb.shape[0]))


def working_image(grey: Image, size: tuple[int, int]) -> Image:
    """
    Resize, and take out the exposure: it changes between frames, and the flow follows it.

    :param grey: (H, W) uint8.
    :param size: width and height of the result, see :func:`working_size`.
    :return: uint8 of that size.
    """
    how = cv2.INTER_AREA if grey.shape[1] > size[0] else cv2.INTER_LINEAR
    grey = np.asarray(cv2.resize(grey, size, interpolation=how), np.uint8)
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(grey))
    levels = 128 + (np.arange(256) - mean) * (50 / max(deviation, 10.0))
    return np.asarray(cv2.LUT(grey, levels.clip(0, 255).astype(np.uint8)))


def full_size(
    points: NDArray[np.float32], searched: tuple[int, int], size: tuple[int, int]
) -> NDArray[np.float32]:
    """
    Say where points of a working image are in the frame itself.

    :param points: (..., 2k) x and y, again and again [px of the working image].
    :param searched: width and height of that [px].
    :param size: width and height of the frame [px].
    :return: (..., 2k) [px of the frame].
    """
    scale = np.tile(np.array(size) / searched, points.shape[-1] // 2)
    return np.asarray((points + 0.5) * scale - 0.5, np.float32)


def find_corners(image: Image, taken: Points) -> Points:
    """
    Find the strongest corner of each cell that has no point yet.

    :param image: a working image.
    :param taken: (M, 2) points that are followed already [px].
    :return: (N, 2) corners [px].
    """
    strength = cv2.cornerMinEigenVal(image, 5)
    rows, columns = (-(-side // CELL) for side in image.shape)
    padded = np.zeros((rows * CELL, columns * CELL), np.float32)
    padded[:image.shape[0], :image.shape[1]] = strength
    x, y = (taken // CELL).astype(int).T
    cells = padded.reshape(rows, CELL, columns, CELL).transpose(0, 2, 1, 3).reshape(
        rows, columns, CELL * CELL)
    cells[y.clip(0, rows - 1), x.clip(0, columns - 1)] = 0
    best = cells.argmax(axis=2)
    row, column = np.nonzero(cells.max(axis=2) > CORNER_STRENGTH)
    dy, dx = np.divmod(best[row, column], CELL)
    return np.column_stack([column * CELL + dx, row * CELL + dy]).astype(np.float32)


def follow(
    before: Image, after: Image, points: Points
) -> tuple[Points, NDArray[np.bool_]]:
    """
    Follow points into another image.

    Source: Lucas and Kanade 1981, on image pyramids, from the shift that phase correlation finds
    for the whole image; OpenCV's.

    :param before: working image with the points.
    :param after: working image of the same size.
    :param points: (N, 2) [px].
    :return: (N, 2) where they are [px], and (N,) which of them came back when followed backwards.
    """
    shift = _shift(before, after)
    forward, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, points, points + shift, **_LUCAS_KANADE)
    back, also, _ = cv2.calcOpticalFlowPyrLK(
        after, before, forward, forward - shift, **_LUCAS_KANADE)
    returned = np.linalg.norm(back - points, axis=1) < _RETURN_TOLERANCE
    within = ((forward >= 0) & (forward <= (after.shape[1] - 1, after.shape[0] - 1))).all(axis=1)
    both = (np.asarray(found) & np.asarray(also))[:, 0] == 1
    return np.asarray(forward, np.float32), returned & within & both


def _shift(before: Image, after: Image) -> NDArray[np.float32]:
    """Find how far the image moves as a whole, x and y [px]."""
    scale = COARSE_WIDTH / before.shape[1]
    size = COARSE_WIDTH, max(2, round(before.shape[0] * scale))
    first, second = (cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
                     for image in (before, after))
    moved, _ = cv2.phaseCorrelate(first, second, cv2.createHanningWindow(size, cv2.CV_32F))
    return np.asarray(moved, np.float32) / np.float32(scale)
