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

"""A world: solids, ground, light and the camera's path through it."""

from dataclasses import dataclass, replace

from mdepth_ros.training.scenes.shapes import clearance, place, Solid, STATIC, Tracks, Vector
from mdepth_ros.training.scenes.textures import Texture
import numpy as np
from numpy.typing import NDArray

# No solid may come nearer than this to the camera [m].
CLEARANCE = 0.3
_BLOCK = 256  # frames that are looked at together


@dataclass(frozen=True)
class Road:
    """
    The middle line of a road that never turns back.

    ``y`` [m], ``yaw`` [rad] and arc length ``s`` [m] at x = ``start`` + i ``step`` [m], each (N,).
    """

    start: float
    step: float
    y: NDArray[np.float64]
    yaw: NDArray[np.float64]
    s: NDArray[np.float64]

    def at(
        self, s: NDArray[np.float64], left: NDArray[np.float64] | float = 0.0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """
        Go along the road and then sideways.

        :param s: (N,) arc length [m].
        :param left: distance to the left of the middle [m].
        :return: x [m], y [m] and yaw [rad], each (N,).
        """
        x = np.interp(s, self.s, self.start + self.step * np.arange(len(self.s)))
        y, yaw = np.interp(s, self.s, self.y), np.interp(s, self.s, self.yaw)
        return x - left * np.sin(yaw), y + left * np.cos(yaw), yaw


@dataclass(frozen=True)
class Ground:
    """
    The plane z = 0, in bands by distance from the road's middle.

    ``edges`` [m] part the bands, ``textures``, ``tiles`` [m] and ``tints`` have one entry more.
    ``road`` None means no bands.
    """

    road: Road | None
    edges: tuple[float, ...]
    textures: tuple[Texture, ...]
    tiles: tuple[float, ...]
    tints: tuple[Vector, ...]
    marked: bool


@dataclass(frozen=True)
class Light:
    """
    Where light comes from, and what the air does to it.

    ``sun`` is the unit direction towards it, or None indoors, where ``lamp`` [m] is its position.
    ``haze`` is the extinction [1/m]; ``horizon`` is the colour of haze and low sky.
    """

    sun: Vector | None
    lamp: Vector | None
    ambient: float
    direct: float
    haze: float
    horizon: Vector


@dataclass(frozen=True)
class World:
    """
    All that a sequence shows.

    ``T_world_camera`` (T, 4, 4); ``textures`` (K, SIZE, SIZE, 3), a row for each :class:`Texture`
    and maybe more; ``grain_tile`` [m] is the repeat of the faint grain over all surfaces.
    """

    solids: list[Solid]
    tracks: Tracks
    ground: Ground
    light: Light
    T_world_camera: NDArray[np.float64]
    textures: NDArray[np.float64]
    grain_tile: float


def keep_clear(world: World) -> World:
    """
    Remove what the camera would touch; all parts that one track carries go together.

    :param world: any world.
    :return: the world without the solids in the way.
    """
    nearest = np.full(len(world.solids), np.inf)
    for start in range(0, len(world.T_world_camera), _BLOCK):
        frames = np.arange(start, min(start + _BLOCK, len(world.T_world_camera)))
        centres, yaws = place(world.solids, world.tracks, frames)
        points = world.T_world_camera[frames, :3, 3]
        distance = clearance(world.solids, centres, yaws, points)
        nearest = np.minimum(nearest, distance.min(axis=0))
    hit = nearest < CLEARANCE
    hit_tracks = {solid.track for solid, bad in zip(world.solids, hit) if bad} - {STATIC}
    return replace(world, solids=[
        solid for solid, bad in zip(world.solids, hit)
        if not bad and solid.track not in hit_tracks])


def make_plain(world: World) -> World:
    """
    Take the texture off the ground and off every solid that is structure, keeping its colour.

    :param world: any world.
    :return: the texture-less world.
    """
    means = world.textures.mean(axis=(1, 2)) / world.textures[Texture.PLAIN].mean(axis=(0, 1))

    def tinted(tint: Vector, texture: int) -> Vector:
        r, g, b = (float(value) for value in np.asarray(tint) * means[texture])
        return r, g, b

    plain = (Texture.PLAIN,) * 3
    ground = world.ground
    return replace(
        world,
        solids=[replace(solid, textures=plain, tint=tinted(solid.tint, solid.textures[0]))
                if solid.structure else solid for solid in world.solids],
        ground=replace(ground, textures=(Texture.PLAIN,) * len(ground.textures), marked=False,
                       tints=tuple(map(tinted, ground.tints, ground.textures))))
