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

"""Where moved points are seen, how far from where they should be, and what changes that."""

from mdepth_ros.engine.epipolar import Array, pixel_rays
from mdepth_ros.geometry.projection import NEAREST_Z
import numpy as np
from numpy.typing import NDArray

# Larger residuals count linearly, then less: followed points are this exact, or quite wrong [px of
# the working image, as all distances in the files about motion].
EXACT = 0.25
# The (4, 4) twist of each parameter, row after row.
_TWISTS = np.array([
    [0, 0, 0, 0, 0, 0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 0],
    [0, 0, 1, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0],
    [0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
], dtype=np.float64)


def image_rays(pixels: Array, K: Array) -> tuple[Array, Array]:
    """
    Say where pixels look.

    :param pixels: (B, 2, N) [px].
    :param K: (B, 3, 3) intrinsics [px].
    :return: (B, 2, N) their rays at z = 1, and (B, 2, 1) focal lengths [px].
    """
    # The skew, if any, stays out of the derivatives: it is small.
    return pixel_rays(pixels, K)[:, :2], K[:, (0, 1), (0, 1)][:, :, None]


def residual_of(
    moved: Array, translation: Array, rays: Array, focal: Array
) -> tuple[Array, Array]:
    """
    Compare points with where they are seen.

    :param moved: (B, 3, N) points in the source's frame [m].
    :param translation: (B, 3, 1) of the motion that has brought them there [m].
    :param rays: (B, 2, N) where they are seen, see :func:`image_rays`.
    :param focal: (B, 2, 1) focal lengths [px].
    :return: (B, 2, N) the residual [px], and how the pixel moves with the logarithm of the point's
        depth in the target, likewise.
    """
    z = np.maximum(moved[:, 2:], NEAREST_Z)
    x_and_y = moved[:, :2] / z
    turned = moved - translation
    along = (turned[:, :2] - x_and_y * turned[:, 2:]) * (focal / z)
    return (x_and_y - rays) * focal, along


def fill_derivatives(J: Array, moved: Array, focal: Array) -> None:
    """
    Differentiate the pixels by the motion.

    :param J: (B, 3 or 6, 2, N) is filled: by axis-angle and, where it has room, translation.
    :param moved: (B, 3, N) points in the source's frame [m].
    :param focal: (B, 2, 1) focal lengths [px].
    """
    z = np.maximum(moved[:, 2], NEAREST_Z)
    u, v = moved[:, 0] / z, moved[:, 1] / z
    fx, fy = focal[:, 0], focal[:, 1]
    J[:, 0, 0], J[:, 0, 1] = -fx * u * v, -fy * (1 + v * v)
    J[:, 1, 0], J[:, 1, 1] = fx * (1 + u * u), fy * u * v
    J[:, 2, 0], J[:, 2, 1] = -fx * v, fy * u
    if J.shape[1] == 6:
        J[:, 3, 0], J[:, 3, 1] = fx / z, 0
        J[:, 4, 0], J[:, 4, 1] = 0, fy / z
        J[:, 5, 0], J[:, 5, 1] = -fx * u / z, -fy * v / z


def weight_of(
    residual: Array, moved: Array, usable: NDArray[np.bool_], exact: float = EXACT
) -> Array:
    """
    Weigh points as for least absolute distances.

    :param residual: (B, 2, N) [px of the working image].
    :param moved: (B, 3, N) points in the source's frame [m]; those behind it do not count.
    :param usable: (B, N) which others do.
    :param exact: residuals up to this have the full weight.
    :return: (B, 1, N), at most 1.
    """
    weight = exact / np.maximum(length_of(residual), exact)
    return (weight * (usable & (moved[:, 2] > NEAREST_Z)))[:, None]


def move(T: Array, step: Array) -> Array:
    """
    Move on by a small motion.

    By Cayley's transform of the twist: like its exponential a motion, equal to second order, and
    for a small matrix much cheaper.

    :param T: (B, 4, 4) motions.
    :param step: (B, 3 or 6) axis-angle [rad] and, where there is one, translation [m].
    :return: (B, 4, 4).
    """
    half = (step @ _TWISTS[:step.shape[1]]).reshape(-1, 4, 4) / 2
    one = np.eye(4)
    return np.linalg.solve(one - half, (one + half) @ T).astype(np.float64, copy=False)


def square_of(x: Array) -> Array:
    """
    Square the lengths of vectors.

    :param x: (..., 2, N).
    :return: (..., 1, N), never 0.
    """
    squared: Array = x[..., :1, :] ** 2 + x[..., 1:, :] ** 2 + 1e-12
    return squared


def length_of(x: Array) -> Array:
    """
    Measure vectors.

    :param x: (B, 2, N).
    :return: (B, N).
    """
    length: Array = np.hypot(x[:, 0], x[:, 1])
    return length
