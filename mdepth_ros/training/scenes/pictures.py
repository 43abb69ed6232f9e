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

"""Textures that show a thing: facades, windows, doors, posters, book shelves, cars."""

from mdepth_ros.training.scenes.noise import colour, coordinates, fractal, Image, jitter, SIZE
import numpy as np

GLASS = (0.2, 0.24, 0.29)


def facade(rng: np.random.Generator, wall: Image) -> Image:
    """
    Two by two windows on a wall.

    :param rng: source of randomness.
    :param wall: (SIZE, SIZE, 3) the wall's own texture.
    :return: (SIZE, SIZE, 3) one tile, two storeys high.
    """
    image = wall.copy()
    half = SIZE // 2
    width, height = int(rng.uniform(0.34, 0.6) * half), int(rng.uniform(0.48, 0.66) * half)
    frame = np.asarray(jitter(rng, (0.75, 0.73, 0.7), 0.2))
    for row in (0, half):
        image[row + half - 6:row + half - 2] *= 0.82  # the storey's ledge
        for column in (0, half):
            top, left = row + (half - height) // 2 - 4, column + (half - width) // 2
            bottom, right, middle = top + height, left + width, left + width // 2
            image[top - 4:bottom + 4, left - 4:right + 4] = frame
            image[bottom + 4:bottom + 9, left - 8:right + 8] = frame * 0.8
            image[top:bottom, left:right] = _pane(rng, height, width)
            image[top:bottom, middle - 1:middle + 2] = frame
    return image * colour((1.0, 1.0, 1.0), (fractal(rng, 1.3), 0.05))


def glass_front(rng: np.random.Generator) -> Image:
    """Bands of windows between concrete floors, two storeys."""
    image = colour(jitter(rng, (0.5, 0.51, 0.53), 0.15), (fractal(rng, 1.0), 0.08))
    half, columns = SIZE // 2, int(rng.integers(4, 7))
    width = SIZE // columns
    for row in (0, half):
        for column in range(columns):
            left = column * width + 3
            image[row + 28:row + 112, left:left + width - 5] = _pane(rng, 84, width - 5)
    return image


def window(rng: np.random.Generator) -> Image:
    """One window with an outside view."""
    image = np.broadcast_to(np.array([0.8, 0.79, 0.76]), (SIZE, SIZE, 3)).copy()
    view = colour((0.72, 0.78, 0.84), (fractal(rng, 1.8), 0.12))
    horizon = int(rng.uniform(0.45, 0.75) * SIZE)
    view[horizon:] = colour((0.36, 0.42, 0.3), (fractal(rng, 1.1), 0.25))[horizon:]
    image[14:-14, 14:-14] = view[14:-14, 14:-14]
    image[:, SIZE // 2 - 6:SIZE // 2 + 6] = 0.76
    image[SIZE // 3 - 5:SIZE // 3 + 5] = 0.76
    return image


def door(rng: np.random.Generator) -> Image:
    """Two panels, a frame and a handle."""
    image = colour(jitter(rng, (0.5, 0.38, 0.27), 0.3), (fractal(rng, 1.3, 1.5, 0.15), 0.14))
    for top, bottom in ((24, 112), (136, 232)):
        image[top:bottom, 44:212] *= 0.8
        image[top + 8:bottom - 8, 54:202] *= 1.18
    image[:, :14] *= 0.6
    image[:, -14:] *= 0.6
    image[:10] *= 0.6
    image[120:128, 196:222] = 0.75
    return image


def poster(rng: np.random.Generator) -> Image:
    """Print large shapes and lines of pretended text on a muted ground, with a white border."""
    x, y = coordinates()
    image = colour(jitter(rng, (0.55, 0.52, 0.48), 0.4), (fractal(rng, 1.8), 0.2))
    for _ in range(int(rng.integers(4, 9))):
        cx, cy, size = rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.7), rng.uniform(0.06, 0.3)
        ink = np.asarray(jitter(rng, (0.42, 0.4, 0.38), 0.6))
        if rng.random() < 0.5:
            shape = np.hypot(x - cx, y - cy) < size
        else:
            shape = (np.abs(x - cx) < size) & (np.abs(y - cy) < size * rng.uniform(0.3, 1.5))
        image[shape] = ink
    for row in range(190, 238, 10):
        at = 18
        while at < 225:
            length = int(rng.integers(8, 34))
            image[row:row + 5, at:min(at + length, 238)] = 0.12
            at += length + 6
    image[:8] = image[-8:] = 0.88
    image[:, :8] = image[:, -8:] = 0.88
    return image


def shelf(rng: np.random.Generator) -> Image:
    """Four boards full of books."""
    image = np.broadcast_to(np.array([0.13, 0.1, 0.08]), (SIZE, SIZE, 3)).copy()
    for board in range(4):
        bottom = 64 * (board + 1) - 7
        image[bottom:bottom + 7] = (0.48, 0.36, 0.25)
        at = 4
        while at < SIZE - 8:
            width, height = int(rng.integers(6, 18)), int(rng.integers(34, 54))
            top, right = bottom - height, min(at + width, SIZE - 4)
            image[top:bottom, at:right] = jitter(rng, (0.38, 0.33, 0.3), 0.5)
            image[top + 8:top + 12, at + 1:right - 1] *= 1.5
            image[top:bottom, right - 1] *= 0.5
            at = right + (int(rng.integers(6, 24)) if rng.random() < 0.1 else 0)
    image[:, :5] = image[:, -5:] = (0.45, 0.33, 0.23)
    return image


def car_side(rng: np.random.Generator) -> Image:
    """Doors and wheels; white where the car's colour goes."""
    x, y = coordinates()
    image = colour((0.9, 0.9, 0.9), (fractal(rng, 1.8), 0.05)) * (1.05 - 0.35 * y)[..., None]
    image[112:122] *= 0.72  # the crease along the doors
    for column in (96, 150, 198):
        image[20:215, column:column + 3] *= 0.45
    image[70:78, 120:134] *= 0.5
    image[70:78, 172:186] *= 0.5
    image[226:] = 0.1
    for centre in (0.19, 0.81):
        # A tile is about 4.3 m by 0.75 m, so a round wheel is a flat ellipse of texels.
        radius = np.hypot((x - centre) * 4.3, (y - 0.72) * 0.75)
        image[radius < 0.36] = 0.07
        image[radius < 0.22] = 0.42
        image[radius < 0.07] = 0.15
    return image


def car_end(rng: np.random.Generator) -> Image:
    """Lights, number plate and bumper."""
    image = colour((0.85, 0.85, 0.85), (fractal(rng, 1.8), 0.05))
    image[60:115, 10:66] = (0.75, 0.2, 0.17)
    image[60:115, 190:246] = (0.75, 0.2, 0.17)
    image[75:85, 10:66] = 0.85
    image[75:85, 190:246] = 0.85
    image[120:155, 82:174] = (0.85, 0.84, 0.75)
    image[130:146, 92:164:12] = 0.15
    image[170:215] *= 0.4
    image[226:] = 0.07
    return image


def car_glass(rng: np.random.Generator) -> Image:
    """Dark panes with a reflection, between pillars of the car's colour."""
    image = np.full((SIZE, SIZE, 3), 0.85)
    image[28:235, 16:122] = _pane(rng, 207, 106)
    image[28:235, 134:240] = _pane(rng, 207, 106)
    return image


def _pane(rng: np.random.Generator, height: int, width: int) -> Image:
    """Paint a dark pane: reflected sky from the top, sometimes a curtain or a blind."""
    fall = np.linspace(1.0, 0.0, height)[:, None]
    slant = np.linspace(0.0, 1.0, width)[None, :]
    glow = rng.uniform(0.2, 0.9) * np.clip(fall - 0.5 * slant * rng.uniform(0, 1), 0, 1)
    pane = np.asarray(GLASS) * rng.uniform(0.6, 1.1)
    sky = np.array([0.55, 0.64, 0.73])
    image = pane + glow[..., None] * (sky - pane)
    kind = rng.random()
    if kind < 0.3:
        image[:, :int(width * rng.uniform(0.15, 0.5))] = jitter(rng, (0.6, 0.56, 0.5), 0.2)
    elif kind < 0.5:
        image[: int(height * rng.uniform(0.2, 0.7))] = jitter(rng, (0.62, 0.6, 0.55), 0.15)
    return image
