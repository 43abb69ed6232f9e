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

"""A street: houses, trees, lamp posts, parked and moving cars, people on the pavement."""

from mdepth_ros.training.scenes.config import SceneConfig
from mdepth_ros.training.scenes.noise import jitter
from mdepth_ros.training.scenes.paths import drive, make_road, seat, Series, stand
from mdepth_ros.training.scenes.shapes import Shape, Solid, Tracks, Vector
from mdepth_ros.training.scenes.textures import paint, Texture
from mdepth_ros.training.scenes.things import car, person, tree
from mdepth_ros.training.scenes.world import Ground, Light, Road, World
import numpy as np

LANE = 1.75  # from the road's middle to that of a lane [m]
PARKED = 4.75
KERB = 5.9
HOUSES = 9.0
AHEAD = 140.0
_CAR_PAINTS = ((0.75, 0.76, 0.78), (0.2, 0.22, 0.25), (0.5, 0.52, 0.55), (0.5, 0.16, 0.14),
               (0.2, 0.3, 0.5), (0.8, 0.78, 0.72), (0.25, 0.33, 0.28), (0.12, 0.12, 0.13))


def build_street(config: SceneConfig, rng: np.random.Generator) -> World:
    """
    Build a street and a drive along it.

    :param config: the sequence.
    :param rng: source of randomness.
    :return: the world; solids may still be in the camera's way.
    """
    s = drive(config, rng)
    road = make_road(rng, float(s[-1]) + AHEAD)
    T = stand(config, seat(config, rng, road, s, -LANE), rng)
    end = float(s[-1]) + AHEAD
    solids: list[Solid] = []
    for side in (-1, 1):
        solids += _houses(rng, road, side, end)
        solids += _kerbside(rng, road, side, end)
    tracks: list[tuple[Series, Series, Series]] = []
    if config.moving_objects:
        solids += _traffic(config, rng, road, s, end, tracks)
    elevation, azimuth = rng.uniform(0.5, 1.2), rng.uniform(0, 2 * np.pi)
    overcast = rng.random() < 0.3
    haze = float(rng.choice([0.0015, 0.004, 0.012], p=[0.5, 0.35, 0.15]))
    light = Light(
        sun=(float(np.cos(elevation) * np.cos(azimuth)),
             float(np.cos(elevation) * np.sin(azimuth)), float(np.sin(elevation))),
        lamp=None, ambient=0.85 if overcast else 0.6, direct=0.2 if overcast else 0.6,
        haze=haze, horizon=jitter(rng, (0.78, 0.82, 0.86), 0.06))
    verge = Texture.GRASS if rng.random() < 0.5 else Texture.PAVING
    ground = Ground(
        road=road, edges=(3.6, KERB, 8.6), marked=True,
        textures=(Texture.ASPHALT, Texture.ASPHALT, Texture.PAVING, verge),
        tiles=(5.0, 3.5, 3.0, 4.5),
        tints=((1.0, 1.0, 1.0), (1.15, 1.13, 1.1), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0)))
    return World(solids, _stack(tracks, config.frames), ground, light, T, paint(rng),
                 grain_tile=17.0)


def _houses(rng: np.random.Generator, road: Road, side: int, end: float) -> list[Solid]:
    """Facades in a row, some gaps, different heights and setbacks."""
    solids = []
    facades = (Texture.FACADE_A, Texture.FACADE_B, Texture.FACADE_C, Texture.FACADE_A,
               Texture.BRICK, Texture.SIDING)
    at = -30.0
    while at < end:
        width, depth = rng.uniform(9, 22), rng.uniform(8, 14)
        height = 3.1 * rng.integers(1, 6) + rng.uniform(0.3, 1.0)
        # A bend makes the ends of a long house stick out: sagitta of half the width at 80 m.
        setback = HOUSES + width**2 / 640 + rng.uniform(0, 3.5)
        x, y, yaw = road.at(np.array([at + width / 2]), side * (setback + depth / 2))
        face = facades[int(rng.integers(len(facades)))]
        tile = width / max(1, round(width / 6.2)) if face <= Texture.FACADE_C else 3.0
        solids.append(Solid(
            Shape.BOX, (float(x[0]), float(y[0]), height / 2), (width / 2, depth / 2, height / 2),
            (face, face, Texture.CONCRETE), float(yaw[0]), jitter(rng, (0.95, 0.93, 0.9), 0.14),
            (tile, tile, 6.2 if face <= Texture.FACADE_C else 3.0),
            (float(rng.random()), height / 2 / 6.2), structure=True))
        if rng.random() < 0.4:
            solids.append(_roof_box(rng, solids[-1]))
        at += width + (rng.uniform(3, 12) if rng.random() < 0.35 else rng.uniform(0.0, 0.6))
    return solids


def _roof_box(rng: np.random.Generator, house: Solid) -> Solid:
    """Build a set-back storey or a chimney block on a house."""
    width, depth, height = (house.half[0] * rng.uniform(0.2, 0.7),
                            house.half[1] * rng.uniform(0.3, 0.7), rng.uniform(0.6, 1.6))
    centre = (house.centre[0], house.centre[1], 2 * house.half[2] + height)
    return Solid(Shape.BOX, centre, (width, depth, height),
                 (Texture.CONCRETE,) * 3, house.yaw, jitter(rng, (0.85, 0.8, 0.78), 0.2),
                 (3.0, 3.0, 3.0), structure=True)


def _kerbside(rng: np.random.Generator, road: Road, side: int, end: float) -> list[Solid]:
    """Parked cars, trees, posts, bins, hedges and standing people."""
    solids: list[Solid] = []
    at = rng.uniform(-15, -5)
    while at < end:
        at += rng.uniform(5.6, 7.5) if rng.random() < 0.6 else rng.uniform(8, 25)
        x, y, yaw = (float(v[0]) for v in road.at(np.array([at]), side * PARKED))
        turned = yaw + (np.pi if side > 0 else 0.0) + rng.normal(0, 0.02)
        solids += car(rng, (x, y, 0.0), turned, _paint(rng))
    at = rng.uniform(-20, 0)
    while at < end:
        at += rng.uniform(6, 16)
        left = side * rng.uniform(KERB + 0.4, KERB + 0.9)
        x, y, yaw = (float(v[0]) for v in road.at(np.array([at]), left))
        kind = rng.random()
        if kind < 0.5:
            solids += tree(rng, (x, y, 0.0))
        elif kind < 0.8:
            height = rng.uniform(4.5, 7.0)
            solids.append(Solid(Shape.CYLINDER, (x, y, height / 2), (0.07, 0.07, height / 2),
                                (Texture.CONCRETE,) * 3, 0.0, (0.6, 0.62, 0.62), (0.4, 0.4, 1.0)))
            if rng.random() < 0.5:
                solids.append(Solid(Shape.BOX, (x, y, rng.uniform(2.2, 3.0)), (0.03, 0.35, 0.35),
                                    (Texture.POSTER_B, Texture.PLAIN, Texture.PLAIN), yaw))
        elif kind < 0.9:
            solids += person(rng, (x, y, 0.0))
        else:
            solids.append(Solid(Shape.BOX, (x, y, 0.55), (0.3, 0.35, 0.55),
                                (Texture.SIDING,) * 3, yaw, (0.45, 0.6, 0.5), (0.6, 0.6, 0.8)))
        if rng.random() < 0.35:
            length = rng.uniform(1.5, 4)
            x, y, yaw = (float(v[0]) for v in road.at(np.array([at + 3]), side * (HOUSES - 0.7)))
            solids.append(Solid(Shape.BOX, (x, y, 0.5), (length, 0.35, 0.5),
                                (Texture.FOLIAGE,) * 3, yaw, (0.9, 0.95, 0.9), (1.6, 1.6, 1.6)))
    return solids


def _traffic(
    config: SceneConfig, rng: np.random.Generator, road: Road, s: Series, end: float,
    tracks: list[tuple[Series, Series, Series]],
) -> list[Solid]:
    """Add a car ahead, oncoming cars and walkers, and a track for each."""
    t = np.arange(config.frames) / config.fps
    solids: list[Solid] = []

    def add(parts: list[Solid], along: Series, left: float, reverse: bool) -> None:
        x, y, yaw = road.at(along, left)
        # A track ends at the road's end: what would pile up there stays away instead.
        if along.min() > -95 and along.max() < end + 140:
            tracks.append((x, y, yaw + (np.pi if reverse else 0.0)))
            solids.extend(parts)

    gap = rng.uniform(11, 24)
    ahead = 6.0 * t if config.stationary else s + gap * 0.15 * np.sin(2 * np.pi * t / 12)
    add(car(rng, (0.0, 0.0, 0.0), 0.0, _paint(rng), len(tracks)), ahead + gap, -LANE, False)
    at = rng.uniform(18, 45)
    speed = rng.uniform(7, 13)
    while at < end + speed * t[-1]:
        first = at - speed * t
        # On the road from the frame in which it is still ahead to the one where it has passed.
        add(car(rng, (0.0, 0.0, 0.0), 0.0, _paint(rng), len(tracks)),
            np.where(first < end + 139, first, end + 139 - 0.01 * t), LANE, True)
        at += rng.uniform(22, 60)
    for side in (-1, 1):
        at = rng.uniform(0, 20)
        while at < end:
            walk = rng.choice([-1, 1]) * rng.uniform(0.9, 1.6)
            add(person(rng, (0.0, 0.0, 0.0), len(tracks)), at + walk * t,
                side * rng.uniform(KERB + 1.3, HOUSES - 1.3), walk < 0)
            at += rng.uniform(10, 45)
    return solids


def _stack(tracks: list[tuple[Series, Series, Series]], frames: int) -> Tracks:
    """Join the tracks of M carriers to arrays."""
    position, yaw = np.zeros((frames, len(tracks), 3)), np.zeros((frames, len(tracks)))
    for i, (x, y, heading) in enumerate(tracks):
        position[:, i, 0], position[:, i, 1], yaw[:, i] = x, y, heading
    return Tracks(position, yaw)


def _paint(rng: np.random.Generator) -> Vector:
    """Draw the colour of a car."""
    return jitter(rng, _CAR_PAINTS[int(rng.integers(len(_CAR_PAINTS)))], 0.1)
