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

"""The camera's motion from points followed between two frames and the depth of one of them."""

from typing import NamedTuple

from mdepth_ros.engine.bundle import adjust_motions
from mdepth_ros.engine.corners import CELL, find_corners, follow, full_size, WORKING_WIDTH
from mdepth_ros.engine.epipolar import (
    Array,
    epipolar_error,
    essential_motion,
    median_known,
    pixel_rays,
    triangulate,
)
from mdepth_ros.engine.lifted_tracks import lift, Lifted
from mdepth_ros.engine.resection import solve_motion, unexplained
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

Tracks = NDArray[np.float32]
Mask = NDArray[np.bool_]

# So few followed points tell nothing about the motion.
FEWEST_TRACKS = 20
# A point agrees with the motion if no more than this is unexplained [px of the working image].
AGREES = 1.6
# A motion is doubted where half of the tracks are further from their epipolar lines than this
# [likewise]: they are followed better than that.
DOUBTFUL = 0.2
BETTER = 0.75
# Largest distance of an inlier from its epipolar line [likewise].
INLIER = 1.0


class TrackedMotions(NamedTuple):
    """
    Motions of B pairs of frames, at the scale of the depth.

    ``T_source_target`` (B, 4, 4); ``parallax`` (B,), median displacement that the translation
    causes, over the part of the image that has points [image widths]; ``agreeing`` (B,), share of
    the tracks that fit the motion.
    """

    T_source_target: Array
    parallax: Array
    agreeing: Array


def follow_corners(
    first: NDArray[np.uint8], second: NDArray[np.uint8], width: int, height: int
) -> Tracks:
    """
    Find the corners of one frame in another one.

    :param first: working image of the one.
    :param second: working image of the other.
    :param width: width of the frames that the result is for [px].
    :param height: their height [px].
    :return: (N, 4) x, y in the first and x, y in the second frame [px].
    """
    corners = find_corners(first, np.zeros((0, 2), np.float32))
    if not len(corners):
        return np.zeros((0, 4), np.float32)
    ends, found = follow(first, second, corners)
    tracks = np.hstack([corners[found], ends[found]])
    return full_size(tracks, (first.shape[1], first.shape[0]), (width, height))


def motion_from_tracks(tracks: Tensor, depth: Tensor, K: Tensor) -> Tensor:
    """
    Solve for the motion that explains the tracks by the target's depth.

    A depth that is quite wrong, as of a network that has just begun to learn, leads to a motion
    that no depth could explain the tracks by. Then epipolar geometry, which asks for no depth,
    tells rotation and direction, and the depth only how far.

    :param tracks: (B, N, 4) x, y in the target and x, y in the source [px of the depth]; NaN is
        left out.
    :param depth: (B, 1, H, W) of the target [network units].
    :param K: (B, 3, 3) of both frames [px].
    :return: (B, 4, 4) T_source_target, at the scale of the depth; no gradient. The identity where
        there are fewer than 6 tracks.
    """
    return torch.from_numpy(_solve(lift(tracks, depth, K))).to(depth)


def agreeing_tracks(tracks: Tensor, depth: Tensor, K: Tensor) -> Tensor:
    """
    Tell which tracks fit the motion that most of them tell, by a depth that is about right.

    Corners that were followed wrongly do not, nor do those on what moves.

    :param tracks: (B, N, 4) x, y in the target and x, y in the source [px of the depth]; NaN is
        left out.
    :param depth: (B, 1, H, W) of the target [network units].
    :param K: (B, 3, 3) of both frames [px].
    :return: (B, N) bool.
    """
    lifted = lift(tracks, depth, K)
    return torch.from_numpy(_residual(lifted, _solve(lifted)) < AGREES).to(depth.device)


def solve_motions(lifted: Lifted) -> TrackedMotions:
    """
    Solve as :func:`motion_from_tracks` for one target and many sources; tell what came of it.

    :param lifted: B pairs of frames.
    :return: the motions.
    """
    T = _solve(lifted)
    agreeing = _residual(lifted, T) < AGREES
    turned = T[:, :3, :3] @ lifted.points
    far, here = (lifted.K @ moved for moved in (turned, turned + T[:, :3, 3:]))
    parallax = np.linalg.norm(here[:, :2] / here[:, 2:] - far[:, :2] / far[:, 2:], axis=1)
    known = np.isfinite(lifted.pixels).all(axis=1)
    return TrackedMotions(
        T, _median(parallax, _areas(lifted.pixels[:, :2], agreeing)) / WORKING_WIDTH,
        agreeing.sum(axis=1) / np.maximum(known.sum(axis=1), 1))


def adjust_together(lifted: Lifted, T_source_target: Array) -> Array:
    """
    Refine the motions from one target to several sources by the tracks that agree with them.

    What moves by itself may still agree where it has not come far: a point that disagrees with
    one motion tells none, if enough are left.

    :param lifted: the target's points, the same for all B sources; NaN where a source does not
        see them.
    :param T_source_target: (B, 4, 4) about right.
    :return: (B, 4, 4).
    """
    residual = _residual(lifted, T_source_target)
    agreeing = residual < AGREES
    with_all = agreeing & ~(residual >= AGREES).any(axis=0)
    if with_all.sum(axis=1).min() >= FEWEST_TRACKS:
        agreeing = with_all
    return adjust_motions(lifted.points[0], lifted.pixels[:, 2:], agreeing, lifted.K[0],
                          T_source_target)


def _residual(lifted: Lifted, T: Array) -> Array:
    """How far (B, N) tracks are from what (B, 4, 4) motions explain; NaN where they are."""
    return unexplained(lifted.points, lifted.pixels[:, 2:], T, lifted.K)


def _areas(pixels: Array, valid: Mask) -> Array:
    """
    Share each cell of the image among the points in it.

    Followed points crowd where the image moves least, and would hide how far the rest moves.

    Takes (B, 2, N) [px of the working image] and which of them count, (B, N); returns (B, N), 0
    for the others.
    """
    across = WORKING_WIDTH // CELL
    column, row = np.where(valid, pixels.swapaxes(0, 1) / CELL, 0.0).astype(int)
    cell = row * (across + 1) + column
    cell += (cell.max(initial=0) + 1) * np.arange(len(cell))[:, None]  # each frame has its own
    shared = np.bincount(cell.ravel(), weights=valid.ravel())
    share: Array = valid / np.maximum(shared[cell], 1)
    return share


def _median(values: Array, weights: Array) -> Array:
    """Of (B, N) with weights of at least 0, (B,); 0 where nothing counts."""
    values = np.where(weights > 0, values, np.inf)
    order = values.argsort(axis=1)
    rising, sums = (np.take_along_axis(it, order, axis=1) for it in (values, weights))
    sums = sums.cumsum(axis=1)
    middle: Array = rising[np.arange(len(rising)), (sums >= sums[:, -1:] / 2).argmax(axis=1)]
    return np.where(np.isfinite(middle), middle, 0.0)


def _solve(lifted: Lifted) -> Array:
    """Solve for the motions (B, 4, 4)."""
    x, points, K = lifted
    valid: Mask = np.asarray(np.isfinite(x).all(axis=1))
    T = solve_motion(points, x[:, 2:], valid, K)
    error = epipolar_error(T, x, K)
    for i in np.flatnonzero(error > DOUBTFUL):
        other = _without_depth(x[i][:, valid[i]], points[i, 2, valid[i]], K[i])
        if other is None:
            continue
        if epipolar_error(other[None], x[i:i + 1], K[i:i + 1]) < BETTER * error[i]:
            T[i] = other
    return T


def _without_depth(x: Array, depth: Array, K: Array) -> Array | None:
    """(4, N) tracks and (N,) depths to a (4, 4) motion whose direction owes nothing to these."""
    if x.shape[1] < FEWEST_TRACKS:
        return None
    T = essential_motion(x.T, K, INLIER)
    if T is None:
        return None
    rays, source_rays = (pixel_rays(xy[None], K[None])[0] for xy in (x[:2], x[2:]))
    units = triangulate(T, rays, source_rays)
    ratio = (depth / units)[units > 0]
    if not len(ratio):
        return None
    T[:3, 3] *= median_known(ratio[None])
    return T
