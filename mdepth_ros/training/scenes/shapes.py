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

"""Solids of a world: boxes, upright cylinders, round ellipsoids; where each is at each frame."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Vector = tuple[float, float, float]
STATIC = -1


class Shape(IntEnum):
    """Kinds of solids; all may turn about the vertical axis only."""

    BOX = 0
    CYLINDER = 1
    ELLIPSOID = 2


@dataclass(frozen=True)
class Solid:
    """
    One solid, in the world frame (z up) or in the frame of the track that carries it.

    ``half`` is half the size along its own axes [m]; cylinders and ellipsoids are round, so that
    their first two entries agree. ``textures`` are those of the +-x, +-y and +-z faces, as rows of
    the world's stack. ``tile`` is the length of one texture repeat along each axis [m]; None
    stretches one repeat over the solid. ``structure`` marks what a texture-less scene makes plain.
    """

    shape: Shape
    centre: Vector
    half: Vector
    textures: tuple[int, int, int]
    yaw: float = 0.0
    tint: Vector = (1.0, 1.0, 1.0)
    tile: Vector | None = None
    shift: tuple[float, float] = (0.0, 0.0)
    track: int = STATIC
    structure: bool = False


@dataclass(frozen=True)
class Tracks:
    """Motion of M carriers over T frames: ``position`` (T, M, 3) [m], ``yaw`` (T, M) [rad]."""

    position: NDArray[np.float64]
    yaw: NDArray[np.float64]


def no_tracks(frames: int) -> Tracks:
    """Return the tracks of a world where nothing moves."""
    return Tracks(np.zeros((frames, 0, 3)), np.zeros((frames, 0)))


def place(
    solids: list[Solid], tracks: Tracks, frames: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Where the solids are.

    :param solids: N solids.
    :param tracks: the carriers' motion.
    :param frames: (F,) frame numbers.
    :return: centres (F, N, 3) in the world [m], and yaws (F, N) [rad].
    """
    F, N = len(frames), len(solids)
    local = np.array([solid.centre for solid in solids]).reshape(N, 3)
    yaw = np.array([solid.yaw for solid in solids])
    track = np.array([solid.track for solid in solids], dtype=int)
    centres = np.broadcast_to(local, (F, N, 3)).copy()
    yaws = np.broadcast_to(yaw, (F, N)).copy()
    carried = np.flatnonzero(track != STATIC)
    if carried.size:
        base = tracks.position[frames][:, track[carried]]  # (F, M, 3)
        turn = tracks.yaw[frames][:, track[carried]]  # (F, M)
        c, s = np.cos(turn), np.sin(turn)
        x, y, z = local[carried].T
        centres[:, carried] = base + np.stack([c * x - s * y, s * x + c * y,
                                               np.broadcast_to(z, c.shape)], axis=-1)
        yaws[:, carried] += turn
    return centres, yaws


def clearance(
    solids: list[Solid], centres: NDArray[np.float64], yaws: NDArray[np.float64],
    points: NDArray[np.float64],
) -> NDArray[np.float64]:
    """
    Distance from points to the boxes around the solids.

    :param solids: N solids.
    :param centres: (F, N, 3) their centres [m].
    :param yaws: (F, N) their yaws [rad].
    :param points: (F, 3) one point per frame [m].
    :return: (F, N) distance [m]; negative inside.
    """
    offset = points[:, None] - centres
    c, s = np.cos(yaws), np.sin(yaws)
    local = np.stack([c * offset[..., 0] + s * offset[..., 1],
                      c * offset[..., 1] - s * offset[..., 0], offset[..., 2]], axis=-1)
    half = np.array([solid.half for solid in solids]).reshape(-1, 3)
    beyond = np.abs(local) - half  # (F, N, 3)
    outside = np.linalg.norm(np.maximum(beyond, 0), axis=-1)
    return outside + np.minimum(beyond.max(axis=-1), 0)
