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

"""The motion that brings points with known depth to where they are seen in another image."""

from mdepth_ros.engine.epipolar import Array
from mdepth_ros.engine.reprojection import (
    EXACT,
    fill_derivatives,
    image_rays,
    length_of,
    move,
    residual_of,
    square_of,
    weight_of,
)
from mdepth_ros.geometry.projection import NEAREST_Z
import numpy as np
from numpy.typing import NDArray

ITERATIONS = 14
# Points are taken to be less exact at first [px of the working image], so that all of them pull at
# a motion that is far off, and from one iteration to the next by this factor more.
AT_FIRST, STRICTER = 4.0, 0.7
# The first of these turn only: far from the answer, a translation would follow wrong depths.
TURNING = 3
# From this one on, points that are off count ever less: those of a person who walks by are many
# and agree with each other. Not before, when all points are off.
SHARP = 4
# A sample has arrived when a step moves its points by less than this [px of the working image].
ARRIVED = 0.01
# Standard deviation of the logarithm of the depths that are given: single-frame depth is no truth.
# Twice what it is: where it errs, it errs for many points alike.
DEPTH_SPREAD = 0.6
# The translation's length is found in so many steps, and stretched at most by this factor.
FITS, STRETCHES = 3, 8
MOST_STRETCH = 5.0
# The points ask for factors that differ by so much [logarithm].
STRETCH_SPREAD = 0.3
# Points that are further off their epipolar line say nothing about it [likewise].
BESIDE = 4 * EXACT
# Least diagonal of the normal equations, so that what the points do not tell stays as it was.
DAMPING = 1e-6
FEWEST_POINTS = 6


def solve_motion(points: Array, pixels: Array, valid: NDArray[np.bool_], K: Array) -> Array:
    """
    Estimate the camera's motion from points whose depth is known: resection, or PnP.

    Gauss-Newton on the reprojection error with iteratively reweighted least squares, so that
    points on moving objects and wrong tracks count little, in the end: graduated non-convexity,
    Blake and Zisserman 1987. Runs for all samples at once; in NumPy,
    whose small products cost less than torch's.

    Where the camera's translation moves a point, its residual along that direction may as well
    come from its depth, and counts the less the more it moves: between resection, for exact
    depths, and epipolar geometry, for unknown ones. The translation's length, which these
    residuals alone tell, is solved for at last: far points, whose single-frame depth is often much
    too near, then count little.

    :param points: (B, 3, N) points in the target's frame [m].
    :param pixels: (B, 2, N) where they are seen in the source [px of the working image].
    :param valid: (B, N) bool, which of them count; those that are not finite never do.
    :param K: (B, 3, 3) intrinsics of the source [likewise].
    :return: (B, 4, 4) T_source_target; the identity with fewer than 6 points.
    """
    rays, focal = image_rays(pixels, K)
    usable = valid & np.isfinite(points).all(axis=1) & np.isfinite(pixels).all(axis=1)
    # NaN times a weight of 0 would still be NaN.
    p, rays = (np.where(usable[:, None], values, 1.0) for values in (points, rays))
    T = np.tile(np.eye(4), (len(p), 1, 1))
    moving = (usable.sum(axis=1) >= FEWEST_POINTS)[:, None]  # (B, 1)
    usable &= moving
    for iteration in range(ITERATIONS):
        exact = max(EXACT, AT_FIRST * STRICTER ** iteration)
        moved = T[:, :3, :3] @ p + T[:, :3, 3:]
        residual, along = residual_of(moved, T[:, :3, 3:], rays, focal)
        step, distance = _step(moved, residual, along, usable, focal,
                               unknowns=3 if iteration < TURNING else 6,
                               sharpness=2 if iteration >= SHARP else 1, exact=exact)
        T = move(T, step * moving)
        if exact == EXACT:
            moving = moving & (distance > ARRIVED)
            if not moving.any():
                break
    for _ in range(FITS):
        T = _fit_length(T, p, rays, usable, focal)
    return _stretch(T, p, rays, usable, focal)


def unexplained(points: Array, pixels: Array, T: Array, K: Array) -> Array:
    """
    How far points are from where they are seen at the depth that explains this best.

    Depths may be wrong by one standard deviation, no more: a translation that is much too long
    would explain anything.

    :param points: (B, 3, N) points in the target's frame [m].
    :param pixels: (B, 2, N) where they are seen in the source [px of the working image].
    :param T: (B, 4, 4) T_source_target.
    :param K: (B, 3, 3) intrinsics of the source [likewise].
    :return: (B, N) distance [likewise].
    """
    rays, focal = image_rays(pixels, K)
    with np.errstate(invalid='ignore'):
        moved = T[:, :3, :3] @ points + T[:, :3, 3:]
    residual, along = residual_of(moved, T[:, :3, 3:], rays, focal)
    by_depth = (residual * along).sum(axis=1, keepdims=True) / square_of(along)
    by_depth = by_depth.clip(-DEPTH_SPREAD, DEPTH_SPREAD)
    return length_of(residual - by_depth * along)


def _step(
    moved: Array, residual: Array, along: Array, usable: NDArray[np.bool_], focal: Array,
    unknowns: int, sharpness: int, exact: float,
) -> tuple[Array, Array]:
    """Axis-angle and translation (B, 3 or 6), and how far they move the points (B, 1) [px]."""
    B, _, N = residual.shape
    J = np.empty((B, unknowns + 1, 2, N))
    fill_derivatives(J[:, :unknowns], moved, focal)
    J[:, unknowns] = residual
    _doubt(J, along[:, None], exact)
    weight = weight_of(J[:, unknowns], moved, usable, exact) ** sharpness
    flat = J.reshape(B, unknowns + 1, 2 * N)
    products = (J * weight[:, None]).reshape(flat.shape) @ flat.transpose(0, 2, 1)
    A, b = products[:, :-1, :-1], products[:, :-1, -1:]
    A = A * (1 + DAMPING * np.eye(unknowns)) + 1e-12 * np.eye(unknowns)
    step = -np.linalg.solve(A, b).astype(np.float64, copy=False)
    squared = -(step * b).sum(axis=1) / np.maximum(weight.sum(axis=2), 1e-12)
    return step[:, :, 0], np.sqrt(squared.clip(min=0))


def _fit_length(T: Array, points: Array, rays: Array, usable: NDArray[np.bool_], focal: Array
                ) -> Array:
    """Change the translation's length alone: a longer one is like nearer points."""
    moved = T[:, :3, :3] @ points + T[:, :3, 3:]
    residual, along = residual_of(moved, T[:, :3, 3:], rays, focal)
    weighted = weight_of(residual, moved, usable) * along
    change = (weighted * residual).sum(axis=(1, 2)) / np.maximum(
        (weighted * along).sum(axis=(1, 2)), 1e-12)
    fitted = T.copy()
    fitted[:, :3, 3] *= np.exp(change.clip(-0.5, 0.5))[:, None]
    return fitted


def _stretch(
    T: Array, points: Array, rays: Array, usable: NDArray[np.bool_], focal: Array
) -> Array:
    """
    Change the translation's length alone: a robust mean of the factors that the points ask for.

    Each counts by the root of how far it is seen to move. What hardly moves tells no length,
    however wrong its depth is; by how far it would move at that depth, it might tell most.
    """
    turned, t = T[:, :3, :3] @ points, T[:, :3, 3:]
    along = t[:, :2] - rays * t[:, 2:]
    wanted = rays * turned[:, 2:] - turned[:, :2]
    factor = (along * wanted).sum(axis=1, keepdims=True) / square_of(along)  # (B, 1, N)
    pixels = focal / np.maximum(turned[:, 2:], NEAREST_Z)
    moved = length_of(factor * along * pixels)
    beside = length_of((wanted - factor * along) * pixels)
    tells = usable & (beside < BESIDE) & (turned[:, 2] > NEAREST_Z)
    weight = np.sqrt((moved - EXACT).clip(min=0)) * tells
    asked = np.log(factor[:, 0].clip(1 / MOST_STRETCH, MOST_STRETCH))
    mean = np.zeros((len(T), 1))
    for _ in range(STRETCHES):
        # Huber's weights: factors differ as the depths do, or are quite wrong.
        each = weight / np.maximum(np.abs(asked - mean), STRETCH_SPREAD)
        mean = (each * asked).sum(axis=1, keepdims=True) / np.maximum(
            each.sum(axis=1, keepdims=True), 1e-12)
    # Where most points stand still, those that move are not moved by the camera; where they
    # disagree, as after a turn, there is nothing but noise.
    agreeing = weight * (np.abs(asked - mean) < 2 * STRETCH_SPREAD)
    told = ((tells & (moved > 2 * EXACT)).sum(axis=1) > usable.sum(axis=1) / 2) & (
        agreeing.sum(axis=1) > weight.sum(axis=1) / 2)
    stretched = T.copy()
    stretched[:, :3, 3] *= np.exp(np.where(told[:, None], mean, 0.0))
    return stretched


def _doubt(values: Array, along: Array, exact: float) -> None:
    """Shrink the part of (..., 2, N) that an error of the depth could make, in place."""
    square = square_of(along)
    shrunk = 1 - 1 / np.sqrt(1 + square * (DEPTH_SPREAD / exact) ** 2)
    values -= along * ((values * along).sum(axis=-2, keepdims=True) * (shrunk / square))
