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

"""Open country: a street without its town, with verges, fences, rows of trees and hills."""

from dataclasses import replace

from mdepth_ros.training.scenes.noise import jitter
from mdepth_ros.training.scenes.shapes import Shape, Solid, STATIC
from mdepth_ros.training.scenes.textures import Texture
from mdepth_ros.training.scenes.things import tree
from mdepth_ros.training.scenes.world import Ground, Road, World
import numpy as np

_PLOT = 14.0  # what stands on one plot stays or goes together [m]
_SEGMENT = 8.0  # of a fence [m]
_FENCES = (Texture.CONCRETE, Texture.WOOD, Texture.FOLIAGE, Texture.SIDING, Texture.GRASS)


def open_up(world: World, rng: np.random.Generator) -> World:
    """
    Take most of a street's town away; what is then seen is road, land and sky, to the horizon.

    :param world: a street.
    :param rng: source of randomness.
    :return: the road through open country.
    """
    ground, road = world.ground, world.ground.road
    if road is None:
        raise ValueError('open_up needs a world with a road, got none')
    wide = float(np.exp(rng.uniform(0.0, np.log(3.0))))
    left = float(rng.uniform(0.0, 0.5))
    plots: dict[tuple[int, bool], bool] = {}
    solids = []
    for solid in world.solids:
        x, y, _ = solid.centre
        plot = (int(x // _PLOT), y > float(np.interp(x, *_middle(road))))
        if plot not in plots:
            plots[plot] = bool(rng.random() < left)
        if solid.track != STATIC or plots[plot]:
            solids.append(solid)
    far = ground.edges[-1] * wide
    for side in (-1, 1):
        if rng.random() < 0.6:
            solids += _fence(rng, road, side * (far + rng.uniform(0.0, 8.0)))
        solids += _trees(rng, road, side, far)
    return replace(world, ground=_land(ground, wide, rng),
                   solids=solids + _hills(rng, road, far))


def _middle(road: Road) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of the road's middle."""
    return road.start + road.step * np.arange(len(road.y)), road.y


def _land(ground: Ground, wide: float, rng: np.random.Generator) -> Ground:
    """More lanes, and grass, dry grass or gravel beside them."""
    land = (Texture.GRASS, Texture.GRASS, Texture.CONCRETE, Texture.ASPHALT)
    dry = jitter(rng, (1.7, 1.25, 1.0) if rng.random() < 0.4 else (1.0, 1.0, 1.0), 0.25)
    tint = jitter(rng, (1.0, 1.0, 1.0), 0.3)
    verge, field = (land[int(rng.integers(len(land)))] for _ in range(2))
    return replace(ground, edges=tuple(wide * edge for edge in ground.edges),
                   marked=bool(rng.random() < 0.8),
                   textures=(*ground.textures[:2], verge, field),
                   tints=(tint, tint, dry, dry))


def _fence(rng: np.random.Generator, road: Road, left: float) -> list[Solid]:
    """Build a crash barrier, a wall or a hedge along the road."""
    s = np.arange(-20.0, float(road.s[-1]), _SEGMENT)
    x, y, yaw = road.at(s, left)
    half = (0.55 * _SEGMENT, float(rng.uniform(0.05, 0.4)), float(rng.uniform(0.3, 2.2)))
    texture = _FENCES[int(rng.integers(len(_FENCES)))]
    tint = jitter(rng, (0.8, 0.8, 0.75), 0.3)
    return [Solid(Shape.BOX, (float(x[i]), float(y[i]), half[2]), half, (texture,) * 3,
                  float(yaw[i]), tint, (2.0, 2.0, 2.0)) for i in range(len(s))]


def _trees(rng: np.random.Generator, road: Road, side: int, far: float) -> list[Solid]:
    """Trees and poles of any size, near the road and away from it."""
    solids: list[Solid] = []
    for _ in range(int(rng.integers(0, 30))):
        s = rng.uniform(0.0, float(road.s[-1]))
        left = side * (far + float(np.exp(rng.uniform(0.0, np.log(60.0)))))
        x, y, _ = (float(v[0]) for v in road.at(np.array([s]), left))
        size = float(np.exp(rng.uniform(np.log(0.5), np.log(4.0))))
        if rng.random() < 0.2:
            solids.append(Solid(Shape.CYLINDER, (x, y, 2.5 * size),
                                (0.05 * size, 0.05 * size, 2.5 * size), (Texture.WOOD,) * 3,
                                0.0, jitter(rng, (0.6, 0.6, 0.6), 0.3), (1.0, 1.0, 1.0)))
            continue
        for part in tree(rng, (0.0, 0.0, 0.0)):
            cx, cy, cz = (size * v for v in part.centre)
            a, b, c = (size * v for v in part.half)
            solids.append(replace(part, centre=(x + cx, y + cy, cz), half=(a, b, c)))
    return solids


def _hills(rng: np.random.Generator, road: Road, far: float) -> list[Solid]:
    """Slopes at the roadside and hills at the horizon."""
    solids = []
    for _ in range(int(rng.integers(0, 12))):
        radius = float(np.exp(rng.uniform(np.log(8.0), np.log(150.0))))
        height = radius * float(rng.uniform(0.05, 0.4))
        s = rng.uniform(-20.0, float(road.s[-1]))
        left = float(rng.choice([-1, 1])) * (far + radius * float(rng.uniform(1.0, 2.0)))
        x, y, _ = (float(v[0]) for v in road.at(np.array([s]), left))
        texture = Texture.GRASS if rng.random() < 0.6 else Texture.FOLIAGE
        tint = jitter(rng, (1.2, 1.1, 0.9), 0.3)
        solids.append(Solid(Shape.ELLIPSOID, (x, y, 0.0), (radius, radius, height),
                            (texture,) * 3, 0.0, tint, (4.0, 4.0, 4.0)))
    return solids
