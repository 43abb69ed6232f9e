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

"""Motions from one frame to several others, told by one depth for each point."""

from mdepth_ros.engine.epipolar import Array
from mdepth_ros.engine.reprojection import (
    EXACT,
    fill_derivatives,
    image_rays,
    length_of,
    move,
    residual_of,
    weight_of,
)
from mdepth_ros.geometry.projection import NEAREST_Z
import numpy as np
from numpy.typing import NDArray

ITERATIONS = 8
# Standard deviation of the logarithm of the depths that are given; what is further off counts
# linearly. Wide: where single-frame depth errs, it errs for many points alike.
DEPTH_SPREAD = 1.0
MOST_CHANGE = 0.5  # of a depth's logarithm, in one iteration
# Of the normal equations' diagonal, so that what the points do not tell stays as it was.
DAMPING = 1e-6


def adjust_motions(
    points: Array, pixels: Array, valid: NDArray[np.bool_], K: Array, T: Array
) -> Array:
    """
    Refine motions from one target to several sources: bundle adjustment.

    With two frames, a rotation and a translation that move the points alike are hard to tell
    apart, and the wrong mix of them has the wrong length. But a point has one depth, whichever
    source looks at it. The depths begin as the given ones and are solved for, too.

    Source: Triggs et al. 1999. Gauss-Newton with the depths eliminated by Schur's complement, and
    weights that fall with the square of the residual: the motions are about right already.

    :param points: (3, N) points in the target's frame [m].
    :param pixels: (B, 2, N) where they are seen in the sources [px of the working image].
    :param valid: (B, N) bool, which of them count; those that are not finite must not.
    :param K: (3, 3) intrinsics of the sources [likewise].
    :param T: (B, 4, 4) T_source_target, about right.
    :return: (B, 4, 4) T_source_target, at the scale of the depths; as given where less than half
        of the points are seen to move.
    """
    B, _, N = pixels.shape
    # NaN times a weight of 0 would still be NaN.
    points = np.where(valid.any(axis=0), points, 1.0)
    pixels = np.where(valid[:, None], pixels, 1.0)
    rays, focal = image_rays(pixels, np.broadcast_to(K, (B, 3, 3)))
    # Dirt on the lens has no depth: only what is seen to move is held to the given one.
    apart = [length_of((there[:, :2] / np.maximum(there[:, 2:], NEAREST_Z) - rays) * focal)
             for there in (points[None], T[:, :3, :3] @ points)]
    moves = (valid & (np.minimum(*apart) > 2 * EXACT)).any(axis=0)
    if moves.sum() < valid.any(axis=0).sum() / 2:
        return T
    known = moves * (EXACT / DEPTH_SPREAD) ** 2
    change = np.zeros(N)  # of the depths' logarithms
    J = np.empty((B, 6, 2, N))
    for _ in range(ITERATIONS):
        moved = T[:, :3, :3] @ (points * np.exp(change)) + T[:, :3, 3:]
        residual, along = residual_of(moved, T[:, :3, 3:], rays, focal)
        fill_derivatives(J, moved, focal)
        weight = weight_of(residual, moved, valid) ** 2
        prior = known / np.maximum(np.abs(change) / DEPTH_SPREAD, 1)

        # Normal equations of the motions (A, a), of the depths (D, d), and what couples them (C).
        weighted = J * weight[:, None]
        A = _block_diagonal(
            weighted.reshape(B, 6, 2 * N) @ J.reshape(B, 6, 2 * N).swapaxes(1, 2))
        a = (weighted * residual[:, None]).sum(axis=(2, 3)).ravel()
        C = (weighted * along[:, None]).sum(axis=2).reshape(6 * B, N)
        D = (weight * along ** 2).sum(axis=(0, 1)) + prior + 1e-12
        d = (weight * along * residual).sum(axis=(0, 1)) + prior * change

        A += (DAMPING * A.diagonal() + 1e-12) * np.eye(6 * B)
        step = np.linalg.solve(A - (C / D) @ C.T, (C / D) @ d - a)
        change -= ((d + C.T @ step) / D).clip(-MOST_CHANGE, MOST_CHANGE)
        T = move(T, step.reshape(B, 6))
    return T


def _block_diagonal(blocks: Array) -> Array:
    """Arrange (B, n, n) as (B n, B n)."""
    B, n, _ = blocks.shape
    whole = np.zeros((B, n, B, n))
    whole[np.arange(B), :, np.arange(B)] = blocks
    return whole.reshape(B * n, B * n)
