"""The camera's motion from points followed between two frames and the depth of one of them."""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mdepth_ros.engine.corners import find_corners, follow, working_image, working_size
from mdepth_ros.engine.epipolar import epipolar_error, essential_motion, triangulate
from mdepth_ros.geometry.intrinsics import invert_intrinsics
from mdepth_ros.geometry.projection import sample
from mdepth_ros.geometry.resection import solve_motion, unexplained

Tracks = NDArray[np.float32]

# So few followed points tell nothing about the motion.
FEWEST_TRACKS = 20
# A point agrees with the motion if no more than this share of the image's width is unexplained.
AGREES = 0.005
# A motion is doubted where half of the tracks are further from their epipolar lines than this
# share of the width: they are followed better than that.
DOUBTFUL = 6e-4
BETTER = 0.75


class TrackedMotions(NamedTuple):
    """
    Motions of B pairs of frames, at the scale of the depth.

    ``T_source_target`` (B, 4, 4); ``parallax`` (B,), median displacement that the translation
    causes [px]; ``agreeing`` (B,), share of the tracks that fit the motion.
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
    rgb = (image[0] * 255).byte().permute(1, 2, 0).contiguous().cpu().numpy()
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    return working_image(grey, working_size(image.shape[-1], image.shape[-2]))


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
    scale = np.array([width / first.shape[1], height / first.shape[0]] * 2)
    return np.asarray((np.hstack([corners[found], ends[found]]) + 0.5) * scale - 0.5, np.float32)


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
    valid = ~tracks.isnan().any(dim=2)
    x = torch.where(valid.unsqueeze(2), tracks, 0.0).transpose(1, 2)  # (B, 4, N)
    points = _lift(x[:, :2], depth, K)
    T = solve_motion(points, x[:, 2:], valid, K)
    x = torch.where(valid.unsqueeze(1), x, torch.nan)
    error = epipolar_error(T, x, K)
    for i in (error > DOUBTFUL * depth.shape[-1]).nonzero()[:, 0].tolist():
        other = _without_depth(x[i, :, valid[i]], points[i, 2, valid[i]], K[i])
        if other is None:
            continue
        if epipolar_error(other[None], x[i:i + 1], K[i:i + 1]) < BETTER * error[i]:
            T[i] = other
    return T


def motions_from_tracks(tracks: Tensor, depth: Tensor, K: Tensor) -> TrackedMotions:
    """
    Solve as :func:`motion_from_tracks` for one target and many sources; tell what came of it.

    :param tracks: (B, N, 4) x, y in the target and x, y in a source [px]; NaN is left out.
    :param depth: (1, 1, H, W) of the target [m].
    :param K: (1, 3, 3) of all frames [px].
    :return: the motions.
    """
    B = tracks.shape[0]
    depth, K = depth.expand(B, -1, -1, -1), K.expand(B, -1, -1)
    T = motion_from_tracks(tracks, depth, K)
    x = tracks.transpose(1, 2)
    points = _lift(x[:, :2], depth, K)
    residual = unexplained(points, x[:, 2:], T, K)  # NaN agrees with nothing
    agreeing = residual < AGREES * depth.shape[-1]
    turned = T[:, :3, :3] @ points
    far, here = (K @ moved for moved in (turned, turned + T[:, :3, 3:]))
    parallax = (here[:, :2] / here[:, 2:] - far[:, :2] / far[:, 2:]).norm(dim=1)
    return TrackedMotions(
        T, torch.nan_to_num(torch.where(agreeing, parallax, torch.nan).nanmedian(dim=1).values),
        agreeing.sum(dim=1) / (~residual.isnan()).sum(dim=1))


def _without_depth(x: Tensor, depth: Tensor, K: Tensor) -> Tensor | None:
    """(4, N) tracks and (N,) depths to a (4, 4) motion whose direction owes nothing to these."""
    if x.shape[1] < FEWEST_TRACKS:
        return None
    found = essential_motion(x.T.double().cpu().numpy(), K.double().cpu().numpy())
    if found is None:
        return None
    T = torch.from_numpy(found).to(x)
    rays, source_rays = (_rays(xy[None], K[None])[0] for xy in (x[:2], x[2:]))
    units = triangulate(T, rays, source_rays)
    ratio = (depth / units)[units > 0]
    if not len(ratio):
        return None
    T[:3, 3] *= ratio.nanmedian()
    return T


def _lift(pixels: Tensor, depth: Tensor, K: Tensor) -> Tensor:
    """(B, 2, N) pixels to (B, 3, N) points."""
    return _rays(pixels, K) * sample(depth, pixels.unsqueeze(2), padding_mode='border').squeeze(2)


def _rays(pixels: Tensor, K: Tensor) -> Tensor:
    """(B, 2, N) pixels to (B, 3, N) rays, z = 1."""
    return invert_intrinsics(K) @ torch.cat([pixels, torch.ones_like(pixels[:, :1])], dim=1)
