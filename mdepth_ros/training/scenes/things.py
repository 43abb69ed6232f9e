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

"""Things made of several solids: cars, people, trees, tables, sofas."""

from mdepth_ros.training.scenes.noise import jitter
from mdepth_ros.training.scenes.shapes import Shape, Solid, STATIC, Vector
from mdepth_ros.training.scenes.textures import Texture
import numpy as np


def car(rng: np.random.Generator, at: Vector, yaw: float, paint: Vector,
        track: int = STATIC) -> list[Solid]:
    """
    Build a car: its shade on the ground, a body and a cabin.

    :param rng: source of randomness.
    :param at: middle of the car on the ground [m].
    :param yaw: heading [rad].
    :param paint: colour.
    :param track: the track that carries it.
    :return: three solids.
    """
    length, width = rng.uniform(1.9, 2.3), rng.uniform(0.82, 0.92)
    belt, roof = rng.uniform(0.88, 1.0), rng.uniform(1.4, 1.65)
    van = rng.random() < 0.15
    if van:
        roof = rng.uniform(1.9, 2.3)
    cabin = length * (0.9 if van else rng.uniform(0.5, 0.62))
    back = -(length - cabin) if van else -0.12 * length
    return [
        _part(Shape.BOX, at, yaw, (0.0, 0.0, 0.005), (length, width, 0.005),
              (Texture.PLAIN,) * 3, (0.16, 0.16, 0.17), track),
        _part(Shape.BOX, at, yaw, (0.0, 0.0, 0.1 + belt / 2), (length, width, belt / 2 - 0.1),
              (Texture.CAR_END, Texture.CAR_SIDE, Texture.PLAIN), paint, track),
        _part(Shape.BOX, at, yaw, (back, 0.0, (belt + roof) / 2),
              (cabin, width * 0.88, (roof - belt) / 2),
              (Texture.CAR_GLASS, Texture.CAR_GLASS, Texture.PLAIN), paint, track),
    ]


def person(rng: np.random.Generator, at: Vector, track: int = STATIC) -> list[Solid]:
    """
    Build a person of legs, trunk and head.

    :param rng: source of randomness.
    :param at: where the person stands [m].
    :param track: the track that carries the person.
    :return: three solids.
    """
    height = rng.uniform(1.6, 1.9)
    clothes = jitter(rng, (0.5, 0.42, 0.4), 0.5)
    trousers = jitter(rng, (0.35, 0.35, 0.42), 0.4)
    return [
        _part(Shape.CYLINDER, at, 0.0, (0.0, 0.0, 0.24 * height), (0.15, 0.15, 0.24 * height),
              (Texture.FABRIC,) * 3, trousers, track, (0.5, 0.5, 0.5)),
        _part(Shape.ELLIPSOID, at, 0.0, (0.0, 0.0, 0.65 * height), (0.19, 0.19, 0.22 * height),
              (Texture.FABRIC,) * 3, tuple(min(1.6 * v, 1.5) for v in clothes), track,
              (0.4, 0.4, 0.4)),
        _part(Shape.ELLIPSOID, at, 0.0, (0.0, 0.0, 0.92 * height), (0.1, 0.1, 0.08 * height),
              (Texture.PLASTER,) * 3, (1.0, 0.82, 0.7), track, (0.7, 0.7, 0.7)),
    ]


def tree(rng: np.random.Generator, at: Vector) -> list[Solid]:
    """
    Build a tree: a trunk and a crown of two or three ellipsoids.

    :param rng: source of randomness.
    :param at: where it stands [m].
    :return: its solids.
    """
    trunk, thick = rng.uniform(2.2, 3.2), rng.uniform(0.1, 0.22)
    green = jitter(rng, (1.0, 1.0, 0.95), 0.15)
    solids = [_part(Shape.CYLINDER, at, 0.0, (0.0, 0.0, trunk / 2), (thick, thick, trunk / 2),
                    (Texture.BARK,) * 3, (1.0, 1.0, 1.0), STATIC, (1.0, 1.0, 1.5))]
    for _ in range(int(rng.integers(2, 4))):
        size = rng.uniform(0.9, 1.6)
        centre = (rng.normal(0, 0.4), rng.normal(0, 0.4), trunk + rng.uniform(0.2, 1.6))
        solids.append(_part(Shape.ELLIPSOID, at, 0.0, centre,
                            (size, size, size * rng.uniform(0.7, 1.1)),
                            (Texture.FOLIAGE,) * 3, green, STATIC, (2.5, 2.5, 2.5)))
    return solids


def table(rng: np.random.Generator, at: Vector, yaw: float) -> list[Solid]:
    """
    Build a table with four legs and something on it.

    :param rng: source of randomness.
    :param at: where it stands [m].
    :param yaw: heading [rad].
    :return: six solids.
    """
    length, width, height = rng.uniform(0.45, 0.8), rng.uniform(0.35, 0.5), rng.uniform(0.5, 0.75)
    wood = jitter(rng, (1.2, 1.1, 1.0), 0.25)
    solids = [_part(Shape.BOX, at, yaw, (0.0, 0.0, height), (length, width, 0.02),
                    (Texture.WOOD,) * 3, wood, STATIC, (1.0, 1.0, 1.0))]
    for x in (-1, 1):
        for y in (-1, 1):
            solids.append(_part(
                Shape.BOX, at, yaw, (x * (length - 0.04), y * (width - 0.04), height / 2),
                (0.03, 0.03, height / 2), (Texture.WOOD,) * 3, wood, STATIC, (0.5, 0.5, 0.8)))
    size = rng.uniform(0.08, 0.16)
    solids.append(_part(Shape.BOX, at, yaw + rng.uniform(0, 1), (0.1, 0.0, height + 0.02 + size),
                        (size, size * 0.8, size), (Texture.POSTER_C, Texture.FABRIC,
                                                   Texture.WOOD), (1.0, 1.0, 1.0), STATIC))
    return solids


def sofa(rng: np.random.Generator, at: Vector, yaw: float) -> list[Solid]:
    """
    Build a sofa of a seat, a back and two arms; its back is towards -y.

    :param rng: source of randomness.
    :param at: where it stands [m].
    :param yaw: heading [rad].
    :return: four solids.
    """
    length = rng.uniform(0.7, 1.0)
    cloth = jitter(rng, (1.2, 1.15, 1.1), 0.25)
    parts = (((0.0, 0.05, 0.21), (length, 0.35, 0.21)),
             ((0.0, -0.36, 0.4), (length, 0.1, 0.4)),
             ((length + 0.08, 0.0, 0.3), (0.08, 0.42, 0.3)),
             ((-length - 0.08, 0.0, 0.3), (0.08, 0.42, 0.3)))
    return [_part(Shape.BOX, at, yaw, centre, half, (Texture.FABRIC,) * 3, cloth, STATIC,
                  (0.7, 0.7, 0.7)) for centre, half in parts]


def _part(
    shape: Shape, at: Vector, yaw: float, centre: Vector, half: Vector,
    textures: tuple[Texture, Texture, Texture], tint: Vector, track: int,
    tile: Vector | None = None,
) -> Solid:
    """Place one solid given in the thing's own frame."""
    c, s = np.cos(yaw), np.sin(yaw)
    x, y, z = centre
    moved = (float(at[0] + c * x - s * y), float(at[1] + s * x + c * y), float(at[2] + z))
    return Solid(shape, moved, half, textures, float(yaw), tint, tile, track=track)
