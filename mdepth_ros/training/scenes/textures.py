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

"""Procedural textures of surfaces: ground, walls, wood, plants. All of them tile."""

from enum import auto, IntEnum

from mdepth_ros.training.scenes import pictures
from mdepth_ros.training.scenes.noise import colour, coordinates, fractal, Image, jitter, SIZE
import numpy as np


class Texture(IntEnum):
    """Rows of the texture stack. The first three are for the renderer itself."""

    PLAIN = 0
    CLOUDS = auto()
    GRAIN = auto()
    ASPHALT = auto()
    PAVING = auto()
    GRASS = auto()
    CONCRETE = auto()
    PLASTER = auto()
    BRICK = auto()
    FACADE_A = auto()
    FACADE_B = auto()
    FACADE_C = auto()
    SIDING = auto()
    WOOD = auto()
    PARQUET = auto()
    TILES = auto()
    CARPET = auto()
    FABRIC = auto()
    WALLPAPER = auto()
    FOLIAGE = auto()
    BARK = auto()
    POSTER_A = auto()
    POSTER_B = auto()
    POSTER_C = auto()
    SHELF = auto()
    WINDOW = auto()
    DOOR = auto()
    CAR_SIDE = auto()
    CAR_END = auto()
    CAR_GLASS = auto()


def paint(rng: np.random.Generator) -> Image:
    """
    Paint every texture anew.

    :param rng: source of randomness.
    :return: (len(Texture), SIZE, SIZE, 3) colours in [0, 1], rows downwards.
    """
    _, y = coordinates()
    wall = jitter(rng, (0.66, 0.6, 0.53), 0.12)
    stack = {
        Texture.PLAIN: np.full((SIZE, SIZE, 3), 0.8),
        Texture.CLOUDS: _clouds(rng),
        # Mean 0.5: the renderer doubles it and multiplies.
        Texture.GRAIN: 0.5 + 0.045 * np.repeat(fractal(rng, 1.2)[..., None], 3, axis=2),
        Texture.ASPHALT: _asphalt(rng),
        Texture.PAVING: _blocks(rng, jitter(rng, (0.55, 0.53, 0.5)), 6, 6, 0.05, 0.0, 0.1),
        Texture.GRASS: _grass(rng),
        Texture.CONCRETE: colour(jitter(rng, (0.55, 0.54, 0.52)), (fractal(rng, 1.1), 0.09),
                                 (fractal(rng, 1.9, 1.0, 0.4), 0.09)),
        Texture.PLASTER: colour(jitter(rng, (0.82, 0.76, 0.7)), (fractal(rng, 0.7), 0.05),
                                (fractal(rng, 1.8), 0.04)),
        Texture.BRICK: _blocks(rng, jitter(rng, (0.5, 0.3, 0.23)), 16, 6, 0.09, 0.5, 0.16),
        Texture.FACADE_A: pictures.facade(rng, _blocks(rng, wall, 32, 12, 0.08, 0.5, 0.12)),
        Texture.FACADE_B: pictures.facade(rng, colour(
            jitter(rng, (0.75, 0.71, 0.63), 0.1), (fractal(rng, 0.9), 0.06),
            (fractal(rng, 2.0), 0.05))),
        Texture.FACADE_C: pictures.glass_front(rng),
        Texture.SIDING: colour(jitter(rng, (0.74, 0.71, 0.68), 0.1),
                               (fractal(rng, 1.0, 0.2), 0.07),
                               (-(((y * 16) % 1.0) > 0.86).astype(float), 0.5)),
        Texture.WOOD: colour(jitter(rng, (0.58, 0.43, 0.29), 0.15),
                             (fractal(rng, 1.3, 0.12, 1.6), 0.2), (fractal(rng, 1.0), 0.06)),
        Texture.PARQUET: _blocks(rng, jitter(rng, (0.55, 0.4, 0.26), 0.1), 10, 3, 0.02, 0.37, 0.16)
        * colour((1.0, 1.0, 1.0), (fractal(rng, 1.2, 0.1, 1.4), 0.12)),
        Texture.TILES: _blocks(rng, jitter(rng, (0.66, 0.63, 0.57), 0.1), 4, 4, 0.03, 0.0, 0.07),
        Texture.CARPET: colour(jitter(rng, (0.5, 0.46, 0.45), 0.15), (fractal(rng, 0.3), 0.13),
                               (fractal(rng, 1.5), 0.15)),
        Texture.FABRIC: _fabric(rng),
        Texture.WALLPAPER: _wallpaper(rng),
        Texture.FOLIAGE: _foliage(rng),
        Texture.BARK: colour(jitter(rng, (0.36, 0.29, 0.23)), (fractal(rng, 1.1, 2.0, 0.2), 0.35)),
        Texture.POSTER_A: pictures.poster(rng),
        Texture.POSTER_B: pictures.poster(rng),
        Texture.POSTER_C: pictures.poster(rng),
        Texture.SHELF: pictures.shelf(rng),
        Texture.WINDOW: pictures.window(rng),
        Texture.DOOR: pictures.door(rng),
        Texture.CAR_SIDE: pictures.car_side(rng),
        Texture.CAR_END: pictures.car_end(rng),
        Texture.CAR_GLASS: pictures.car_glass(rng),
    }
    return np.clip(np.stack([stack[texture] for texture in Texture]), 0.0, 1.0)


def _blocks(
    rng: np.random.Generator, base: tuple[float, float, float], rows: int, columns: int,
    gap: float, shift: float, variation: float,
) -> Image:
    """Bricks, slabs or planks: each its own brightness, dark joints, rows shifted in turn."""
    x, y = coordinates()
    row = np.floor(y * rows).astype(int)
    across = x * columns + shift * (row % 2)
    column = np.floor(across).astype(int) % columns
    brightness = rng.normal(0, 1, (rows, columns))[row, column]
    # The joint is equally wide on all sides although the blocks may be oblong.
    joint = ((y * rows) % 1.0 < gap) | (across % 1.0 < gap * columns / rows)
    image = colour(base, (brightness, variation), (fractal(rng, 1.0), 0.09))
    return np.where(joint[..., None], image * 0.3 + 0.33, image)


def _asphalt(rng: np.random.Generator) -> Image:
    """Speckle, worn patches and a few cracks."""
    crack = np.exp(-(np.abs(fractal(rng, 1.7)) / 0.025) ** 2) * (fractal(rng, 2.0) > 0.6)
    return colour(jitter(rng, (0.37, 0.37, 0.38), 0.12), (fractal(rng, 0.35), 0.11),
                  (fractal(rng, 1.7), 0.08), (-crack, 0.35))


def _clouds(rng: np.random.Generator) -> Image:
    """White clouds on a blue sky."""
    cover = np.clip(0.5 + 0.45 * fractal(rng, 1.9, 0.6, 1.0) + rng.uniform(-0.3, 0.3), 0, 1)
    blue, white = np.array([0.45, 0.62, 0.85]), np.array([0.92, 0.93, 0.95])
    return blue + cover[..., None] * (white - blue)


def _grass(rng: np.random.Generator) -> Image:
    """Greens and dry browns."""
    green = colour(jitter(rng, (0.3, 0.38, 0.18)), (fractal(rng, 0.6), 0.2),
                   (fractal(rng, 1.5), 0.15))
    dry = colour((0.45, 0.41, 0.25), (fractal(rng, 0.7), 0.2))
    share = np.clip(0.35 + 0.3 * fractal(rng, 1.4), 0, 1)[..., None]
    return green + share * (dry - green)


def _foliage(rng: np.random.Generator) -> Image:
    """Leaves: bright ones before dark gaps."""
    leaf = fractal(rng, 0.9)
    base = jitter(rng, (0.25, 0.36, 0.14), 0.15)
    return colour(base, (np.tanh(1.5 * leaf), 0.45), (fractal(rng, 1.6), 0.2))


def _fabric(rng: np.random.Generator) -> Image:
    """Woven checks of two colours."""
    x, y = coordinates()
    n = int(rng.integers(3, 8))
    weave = 0.5 * ((x * n % 1.0 < 0.45).astype(float) + (y * n % 1.0 < 0.45))
    a, b = (np.asarray(jitter(rng, (0.5, 0.42, 0.4), 0.35)) for _ in range(2))
    return (a + weave[..., None] * (b - a)) * colour((1.0, 1.0, 1.0), (fractal(rng, 0.5), 0.1))


def _wallpaper(rng: np.random.Generator) -> Image:
    """Print a lattice of small figures on faint stripes."""
    x, y = coordinates()
    n = int(rng.integers(4, 8))
    u, v = (x * n) % 1.0 - 0.5, (y * n + 0.5 * (np.floor(x * n) % 2)) % 1.0 - 0.5
    figure = np.clip(4 * (0.32 - np.abs(u) - np.abs(v)), 0, 1)
    if n % 2:  # an odd number of columns would not tile with the shift
        figure = np.clip(6 * (0.3 - np.hypot(u, (y * n) % 1.0 - 0.5)), 0, 1)
    ground = colour(jitter(rng, (0.82, 0.75, 0.68), 0.08), (np.cos(2 * np.pi * n * x), 0.05),
                    (fractal(rng, 0.9), 0.05))
    ink = np.asarray(jitter(rng, (0.55, 0.45, 0.4), 0.25))
    return ground + 0.75 * figure[..., None] * (ink - ground)
