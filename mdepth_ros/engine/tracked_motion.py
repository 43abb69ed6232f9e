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

from mdepth_ros.engine.corners import (
    CELL,
    find_corners,
    follow,
    full_size,
    working_image,
    working_size,
    WORKING_WIDTH,
)
from mdepth_ros.engine.epipolar import epipolar_error, essential_motion, triangulate
from mdepth_ros.engine.resection import solve_motion, unexplained
from mdepth_ros.geometry.intrinsics import invert_intrinsics
from mdepth_ros.geometry.product import exact_product
from mdepth_ros.geometry.projection import sample
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

Tracks = NDArray[np.float32]

# Of red, green and blue; ITU-R BT.601.
LUMA = 0.299, 0.587, 0.114
# So few followed points tell nothing about the motion.
FEWEST_TRACKS = 20
# A point agrees with the motion if no more than this share of the image's width is unexplained.
AGREES = 0.005
# A motion is doubted where half of the tracks are further from their epipolar lines than this
# share of the width: they are followed better than that.
DOUBTFUL = 6e-4
BETTER = 0.75
# Largest distance of an inlier from its epipolar line, as a share of the width.
INLIER = 3e-3


class TrackedMotions(NamedTuple):
    """
    Motions of B pairs of frames, at the scale of the depth.

    ``T_source_target`` (B, 4, 4); ``parallax`` (B,), median displacement that the translation
    causes, over the part of the image that has points [px]; ``agreeing`` (B,), share of the
    tracks that fit the motion.
    """

    T_source_target: Tensor
    parallax: Tensor
    agreeing: Tensor


def search_image(image: Tensor) -> NDArray[np.uint8]:
    """
    Prepare a frame for being searched.

    :param image: (1, 3, H, W) in [0, 1].
    :return: its working image, see :func:`working_image`.
    """
    grey = torch.tensordot(image.new_tensor(LUMA), image[0], 1).add_(0.5 / 255)
    size = working_size(image.shape[-1], image.shape[-2])
    return working_image((255 * grey).byte().cpu().numpy(), size)


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

    :param tracks: (B, N, 4) x, y in the target and x, y in the source [px]; NaN is left out.
    :param depth: (B, 1, H, W) of the target [m].
    :param K: (B, 3, 3) of both frames [px].
    :return: (B, 4, 4) T_source_target, at the scale of the depth; no gradient. The identity where
        there are fewer than 6 tracks.
    """
    x, points = lift(tracks, depth, K)
    return _solve(x, points, K, depth.shape[-1])


def agreeing_tracks(tracks: Tensor, depth: Tensor, K: Tensor) -> Tensor:
    """
    Tell which tracks fit the motion that most of them tell, by a depth that is about right.

    Corners that were followed wrongly do not, nor do those on what moves.

    :param tracks: (B, N, 4) x, y in the target and x, y in the source [px]; NaN is left out.
    :param depth: (B, 1, H, W) of the target [m].
    :param K: (B, 3, 3) of both frames [px].
    :return: (B, N) bool.
    """
    x, points = lift(tracks, depth, K)
    T = _solve(x, points, K, depth.shape[-1])
    return unexplained(points, x[:, 2:], T, K) < AGREES * depth.shape[-1]


def motions_from_tracks(tracks: Tensor, depth: Tensor, K: Tensor) -> TrackedMotions:
    """
    Solve as :func:`motion_from_tracks` for one target and many sources; tell what came of it.

    :param tracks: (B, N, 4) x, y in the target and x, y in a source [px]; NaN is left out.
    :param depth: (1, 1, H, W) of the target [m].
    :param K: (1, 3, 3) of all frames [px].
    :return: the motions.
    """
    K = K.expand(len(tracks), -1, -1)
    x, points = lift(tracks, depth.expand(len(tracks), -1, -1, -1), K)
    T = _solve(x, points, K, depth.shape[-1])
    residual = unexplained(points, x[:, 2:], T, K)  # NaN agrees with nothing
    agreeing = residual < AGREES * depth.shape[-1]
    turned = T[:, :3, :3] @ points
    far, here = (K @ moved for moved in (turned, turned + T[:, :3, 3:]))
    parallax = (here[:, :2] / here[:, 2:] - far[:, :2] / far[:, 2:]).norm(dim=1)
    return TrackedMotions(T, _median(parallax, _areas(x[:, :2], agreeing, depth.shape[-1])),
                          agreeing.sum(dim=1) / (~residual.isnan()).sum(dim=1))


def _areas(pixels: Tensor, valid: Tensor, width: int) -> Tensor:
    """
    Share each cell of the image among the points in it.

    Followed points crowd where the image moves least, and would hide how far the rest moves.

    Takes (B, 2, N) [px] and which of them count, (B, N); returns (B, N), 0 for the others.
    """
    across = WORKING_WIDTH // CELL
    at = torch.where(valid[:, None], pixels * (across / width), 0.0).long()
    cell = at[:, 1] * (across + 1) + at[:, 0]
    shared = torch.zeros(len(cell), int(cell.max()) + 1, device=valid.device)
    return valid / shared.scatter_add_(1, cell, valid.float()).gather(1, cell).clamp(min=1)


def _median(values: Tensor, weights: Tensor) -> Tensor:
    """Of (B, N) with weights of at least 0, (B,); 0 where nothing counts."""
    rising, order = torch.where(weights > 0, values, torch.inf).sort(dim=1)
    sums = weights.gather(1, order).cumsum(dim=1)
    middle = rising.gather(1, torch.searchsorted(sums, sums[:, -1:] / 2))[:, 0]
    return torch.where(middle.isfinite(), middle, 0.0)


def lift(tracks: Tensor, depth: Tensor, K: Tensor) -> tuple[Tensor, Tensor]:
    """
    Find where in space the tracks begin.

    :param tracks: (B, N, 4) or more, x, y in the target first [px].
    :param depth: (B, 1, H, W) of the target [m].
    :param K: (B, 3, 3) intrinsics [px].
    :return: the tracks as (B, 4, N) or more, and their (B, 3, N) points in the target [m].
    """
    x = tracks.transpose(1, 2)
    z = sample(depth, x[:, :2].unsqueeze(2), padding_mode='border').squeeze(2)
    return x, pixel_rays(x[:, :2], K) * z


def _solve(x: Tensor, points: Tensor, K: Tensor, width: int) -> Tensor:
    """(B, 4, N) tracks and (B, 3, N) points of the target to (B, 4, 4) motions."""
    valid = ~x.isnan().any(dim=1)
    T = solve_motion(points, x[:, 2:], valid, K)
    error = epipolar_error(T, x, K)
    for i in (error > DOUBTFUL * width).nonzero()[:, 0].tolist():
        other = _without_depth(x[i, :, valid[i]], points[i, 2, valid[i]], K[i], width)
        if other is None:
            continue
        if epipolar_error(other[None], x[i:i + 1], K[i:i + 1]) < BETTER * error[i]:
            T[i] = other
    return T


def _without_depth(x: Tensor, depth: Tensor, K: Tensor, width: int) -> Tensor | None:
    """(4, N) tracks and (N,) depths to a (4, 4) motion whose direction owes nothing to these."""
    if x.shape[1] < FEWEST_TRACKS:
        return None
    found = essential_motion(x.T.double().cpu().numpy(), K.double().cpu().numpy(),
                             INLIER * width)
    if found is None:
        return None
    T = torch.from_numpy(found).to(x)
    rays, source_rays = (pixel_rays(xy[None], K[None])[0] for xy in (x[:2], x[2:]))
    units = triangulate(T, rays, source_rays)
    ratio = (depth / units)[units > 0]
    if not len(ratio):
        return None
    T[:3, 3] *= ratio.nanmedian()
    return T


def pixel_rays(pixels: Tensor, K: Tensor) -> Tensor:
    """
    Return where pixels look.

    :param pixels: (B, 2, N) x, y [px].
    :param K: (B, 3, 3) intrinsics [px].
    :return: (B, 3, N), z = 1.
    """
    one = torch.ones_like(pixels[:, :1])
    return exact_product(invert_intrinsics(K), torch.cat([pixels, one], dim=1))
