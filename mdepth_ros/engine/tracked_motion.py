"""The camera's motion from points followed between two frames and the depth of one of them."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mdepth_ros.engine.corners import find_corners, follow, working_image, working_size
from mdepth_ros.geometry.intrinsics import invert_intrinsics
from mdepth_ros.geometry.projection import sample
from mdepth_ros.geometry.resection import solve_motion

Tracks = NDArray[np.float32]

# So few followed points tell nothing about the motion.
FEWEST_TRACKS = 20
# A point whose residual is below this share of the image's width agrees with the motion.
AGREES = 0.01


@dataclass(frozen=True)
class TrackedMotion:
    """
    ``T_source_target`` (1, 4, 4) at the scale of the depth; ``followed`` points were found in the
    source, the share ``agreeing`` of them fits the motion.
    """

    T_source_target: Tensor
    followed: int
    agreeing: float


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

    :param tracks: (B, N, 4) x, y in the target and x, y in the source [px]; NaN is left out.
    :param depth: (B, 1, H, W) of the target [m].
    :param K: (B, 3, 3) of both frames [px].
    :return: (B, 4, 4) T_source_target, at the scale of the depth; no gradient. The identity where
        there are fewer than 6 tracks.
    """
    valid = ~tracks.isnan().any(dim=2)
    x = torch.where(valid.unsqueeze(2), tracks, 0.0).transpose(1, 2)  # (B, 4, N)
    points = _lift(x[:, :2], depth, K)
    return solve_motion(points, x[:, 2:], valid, K)


def tracked_motion(tracks: Tracks, depth: Tensor, K: Tensor) -> TrackedMotion:
    """
    Solve as :func:`motion_from_tracks`, and tell how well the tracks agree.

    :param tracks: (N, 4) of :func:`follow_corners`, from the target into the source.
    :param depth: (1, 1, H, W) of the target [m].
    :param K: (1, 3, 3) of both frames [px].
    :return: the motion.
    """
    x = torch.from_numpy(tracks).to(depth)[None]
    T = motion_from_tracks(x, depth, K)
    if not len(tracks):
        return TrackedMotion(T, 0, 0.0)
    x = x.transpose(1, 2)
    seen = K @ (T[:, :3, :3] @ _lift(x[:, :2], depth, K) + T[:, :3, 3:])
    residual = (seen[:, :2] / seen[:, 2:] - x[:, 2:]).norm(dim=1)
    agreeing = (residual < AGREES * depth.shape[-1]).float().mean()
    return TrackedMotion(T, len(tracks), float(agreeing))


def _lift(pixels: Tensor, depth: Tensor, K: Tensor) -> Tensor:
    """(B, 2, N) pixels to (B, 3, N) points."""
    rays = invert_intrinsics(K) @ torch.cat([pixels, torch.ones_like(pixels[:, :1])], dim=1)
    return rays * sample(depth, pixels.unsqueeze(2), padding_mode='border').squeeze(2)
