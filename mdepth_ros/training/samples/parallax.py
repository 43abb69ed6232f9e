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

"""How far the image moved, and how much of that a turning camera cannot explain."""

from collections import deque
from dataclasses import dataclass

from mdepth_ros.engine.camera import Camera, resize_matrix
from mdepth_ros.engine.corners import Image, Points, working_image, working_size, WORKING_WIDTH
from mdepth_ros.engine.point_tracker import PointTracker, TrackedPoints, tracks_between
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

DEFAULT_FOV_DEG = 70.0
FEWEST = 8


@dataclass(frozen=True)
class ImageMotion:
    """
    From one image to a later one.

    :ivar displacement: median length of the flow, as a share of the image's width; NaN where
        fewer than 8 points were followed.
    :ivar parallax: median length of the flow that is left after the best pure rotation, likewise.
    :ivar tracked: share of the first image's corners that were followed into the later one.
    """

    displacement: float
    parallax: float
    tracked: float


class MotionTracker:
    """Follows corners from frame to frame and compares any two of the last frames."""

    def __init__(
        self, width: int, height: int, K: Matrix | None = None, window: int = 2
    ) -> None:
        """
        Start without a frame.

        :param width: width of all images [px].
        :param height: height of all images [px].
        :param K: (3, 3) intrinsics of the images [px]; a camera of 70 degrees if None.
        :param window: how many frames are kept for comparison.
        """
        if K is None:
            K = Camera.from_fov(width, height, DEFAULT_FOV_DEG).K
        self._given_size = (height, width)
        self._size = working_size(width, height)
        self._K = resize_matrix(K, self._size[0] / width, self._size[1] / height)
        self._tracker = PointTracker()
        self._count = 0
        self._kept: deque[TrackedPoints] = deque(maxlen=window)

    def push(self, grey: Image) -> None:
        """
        Follow the corners into the next frame.

        :param grey: (H, W) uint8.
        :raises ValueError: if the image is of another size or type.
        """
        if grey.shape != self._given_size or grey.dtype != np.uint8:
            raise ValueError(f'grey must be {self._given_size} uint8, '
                             f'got {grey.shape} {grey.dtype}')
        self._kept.append(self._tracker.push(working_image(grey, self._size)))
        self._count += 1

    def motion(self, earlier: int, later: int) -> ImageMotion:
        """
        Compare two frames.

        :param earlier: number of a frame, counted from 0 as they were pushed.
        :param later: number of a later one; both among the last ``window``.
        :return: the motion.
        :raises IndexError: if a frame was not pushed yet or is kept no longer.
        """
        oldest = self._count - len(self._kept)
        if not oldest <= earlier < later < self._count:
            raise IndexError(f'frames must be {oldest} <= earlier < later < {self._count}, '
                             f'got {earlier} and {later}')
        seen = self._kept[earlier - oldest]
        tracks = tracks_between(seen, self._kept[later - oldest])
        tracked = len(tracks) / max(len(seen.ids), 1)
        if len(tracks) < FEWEST:
            return ImageMotion(np.nan, np.nan, tracked)
        first, second = tracks[:, :2], tracks[:, 2:]
        flow = np.linalg.norm(second - first, axis=1)
        left = unexplained_by_rotation(first, second, self._K)
        return ImageMotion(float(np.median(flow)) / WORKING_WIDTH,
                           float(np.median(left)) / WORKING_WIDTH, tracked)


def image_motion(first: Image, second: Image, K: Matrix | None = None) -> ImageMotion:
    """
    Measure how far the image moved, and how much of that tells about depth.

    Both are medians, so that a few moving objects before a standing camera do not count. Rotation
    also explains a part of the flow of a translation; the more so the narrower the view and the
    more even the depth. That part is of no use for depth without knowing the rotation.

    :param first: (H, W) uint8.
    :param second: (H, W) uint8, taken later.
    :param K: (3, 3) intrinsics of these images [px]; a camera of 70 degrees if None.
    :return: the motion.
    :raises ValueError: if the images are of different sizes or of another type.
    """
    tracker = MotionTracker(first.shape[1], first.shape[0], K)
    tracker.push(first)
    tracker.push(second)
    return tracker.motion(0, 1)


def unexplained_by_rotation(first: Points, second: Points, K: Matrix) -> Matrix:
    """
    Turn the camera so that most points agree, and measure what is left.

    Least absolute distances, by reweighted least squares over the rays (Kabsch 1976).

    :param first: (N, 2) pixels.
    :param second: (N, 2) the same points in the other image [px].
    :param K: (3, 3) intrinsics of both images [px].
    :return: (N,) distance of each point from where the rotation alone puts it [px].
    """
    a, b = _rays(first, K), _rays(second, K)
    weights, total = np.ones(len(a)), np.inf
    for _ in range(20):
        u, _, vt = np.linalg.svd((b * weights[:, None]).T @ a)
        R = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
        turned = a @ R.T @ K.T
        left = np.linalg.norm(turned[:, :2] / turned[:, 2:] - second, axis=1)
        if left.sum() > 0.999 * total:
            break
        weights, total = 1 / np.maximum(left, 0.1), left.sum()
    return left


def _rays(points: Points, K: Matrix) -> Matrix:
    """Return unit vectors (N, 3) through pixels."""
    rays = np.column_stack([points, np.ones(len(points))]) @ np.linalg.inv(K).T
    return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True))
