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

"""A furnished room, driven through by a robot or filmed by hand."""

from mdepth_ros.training.scenes.config import SceneConfig
from mdepth_ros.training.scenes.noise import jitter
from mdepth_ros.training.scenes.paths import loop, poses, Series, stand, sway
from mdepth_ros.training.scenes.shapes import no_tracks, Shape, Solid, Tracks, Vector
from mdepth_ros.training.scenes.textures import paint, Texture
from mdepth_ros.training.scenes.things import person, sofa, table
from mdepth_ros.training.scenes.world import Ground, Light, World
import numpy as np

WHITE = (1.0, 1.0, 1.0)


def build_room(config: SceneConfig, rng: np.random.Generator) -> World:
    """
    Build a room, its furniture and the camera's path.

    :param config: the sequence.
    :param rng: source of randomness.
    :return: the world; solids may still be in the camera's way.
    """
    half = (rng.uniform(2.8, 5.0), rng.uniform(2.4, 4.0))
    height = rng.uniform(2.4, 3.1)
    radii = (half[0] - rng.uniform(1.1, 1.4), half[1] - rng.uniform(1.0, 1.3))
    dent = rng.uniform(-0.08, 0.08)
    moving = _robot if config.kind == 'indoor' else _hand
    T = stand(config, moving(config, rng, half, radii, dent), rng)
    keep_free = [T[:, :2, 3]]
    solids, tracks = _shell(rng, half, height), no_tracks(config.frames)
    if config.moving_objects:
        tracks = _walks(config, rng, radii, dent, T[0])
        keep_free += [tracks.position[:, i, :2] for i in range(tracks.position.shape[1])]
        solids += person(rng, (0.0, 0.0, 0.0), 0)
        solids.append(Solid(Shape.ELLIPSOID, (0.0, 0.0, 0.13), (0.13, 0.13, 0.13),
                            (Texture.FABRIC,) * 3, 0.0, jitter(rng, (1.3, 1.0, 0.9), 0.3),
                            (0.3, 0.3, 0.2), track=1))
    solids += _on_walls(rng, half, height)
    solids += _furniture(rng, half, np.concatenate(keep_free))
    floor = (Texture.PARQUET, Texture.TILES, Texture.CARPET, Texture.WOOD)[int(rng.integers(4))]
    ground = Ground(None, (), (floor,), (1.6,), (WHITE,), False)
    lamp = (float(rng.uniform(-0.4, 0.4) * half[0]), float(rng.uniform(-0.4, 0.4) * half[1]),
            height - 0.25)
    light = Light(None, lamp, float(rng.uniform(0.75, 0.88)), float(rng.uniform(0.45, 0.7)), 0.0,
                  (0.8, 0.8, 0.8))
    return World(solids, tracks, ground, light, T, paint(rng), grain_tile=0.37)


def _robot(config: SceneConfig, rng: np.random.Generator, half: tuple[float, float],
           radii: tuple[float, float], dent: float) -> Series:
    """Poses of a robot on a loop, 0.5 to 1 m/s at 0.4 m height."""
    t = np.arange(config.frames) / config.fps
    speed = rng.uniform(0.55, 0.95) * config.speed
    rate = speed / np.sqrt(0.5 * (radii[0] ** 2 + radii[1] ** 2))
    x, y, yaw = loop(rng.uniform(0, 2 * np.pi) + rate * t, radii, dent)
    z = rng.uniform(0.35, 0.5) + sway(rng, t, 0.002, 1.0, 0.3)
    return poses(np.stack([x, y, z], axis=1), yaw + sway(rng, t, 0.15, 15.0, 3.0),
                 rng.normal(-0.03, 0.04) + sway(rng, t, 0.004, 1.0, 0.3),
                 sway(rng, t, 0.004, 1.0, 0.3))


def _hand(config: SceneConfig, rng: np.random.Generator, half: tuple[float, float],
          radii: tuple[float, float], dent: float) -> Series:
    """Poses of a camera in a hand: wanders over a metre or two, trembles, looks about."""
    t = np.arange(config.frames) / config.fps * config.speed
    x, y = (np.clip(sway(rng, t, 0.22 * h, 20.0, 4.0), 0.5 - h, h - 0.5)
            + sway(rng, t, 0.006, 1.0, 0.2) for h in half)
    z = 1.45 + np.clip(sway(rng, t, 0.1, 10.0, 2.0), -0.4, 0.4) + sway(rng, t, 0.006, 1.0, 0.2)
    yaw = rng.uniform(0, 2 * np.pi) + sway(rng, t, 0.6, 14.0, 3.0) + sway(rng, t, 0.006, 1.0, 0.2)
    return poses(np.stack([x, y, z], axis=1), yaw,
                 0.12 + sway(rng, t, 0.1, 9.0, 2.0) + sway(rng, t, 0.006, 1.0, 0.2),
                 sway(rng, t, 0.06, 9.0, 2.0) + sway(rng, t, 0.006, 1.0, 0.2))


def _walks(config: SceneConfig, rng: np.random.Generator, radii: tuple[float, float],
           dent: float, T_world_camera: Series) -> Tracks:
    """Send a person and a ball in circles, at first in view; neither ever stops."""
    t = np.arange(config.frames) / config.fps
    # The person keeps to where the camera does not go.
    near = rng.uniform(0.35, 0.5) if config.kind == 'indoor' else rng.uniform(0.95, 1.1)
    position, yaw = np.zeros((config.frames, 2, 3)), np.zeros((config.frames, 2))
    for i, (scale, speed) in enumerate(((near, rng.uniform(0.7, 1.1)),
                                        (rng.uniform(1.15, 1.25), rng.uniform(0.5, 0.9)))):
        size = (radii[0] * scale, radii[1] * scale)
        rate = speed / np.hypot(*size) * rng.choice([-1, 1])
        starts = rng.uniform(0, 2 * np.pi, 24)
        first = np.stack(loop(starts, size, dent)[:2], axis=1) - T_world_camera[:2, 3]
        ahead = first @ T_world_camera[:2, 2] / np.linalg.norm(first, axis=1)
        x, y, heading = loop(starts[np.argmax(ahead)] + rate * t, size, dent)
        position[:, i, 0], position[:, i, 1], yaw[:, i] = x, y, heading
    return Tracks(position, yaw)


def _shell(rng: np.random.Generator, half: tuple[float, float], height: float) -> list[Solid]:
    """Four walls and a ceiling."""
    papers = (Texture.WALLPAPER, Texture.PLASTER, Texture.WALLPAPER, Texture.PLASTER,
              Texture.SIDING, Texture.BRICK)
    solids = []
    common = papers[int(rng.integers(len(papers)))]
    tint = jitter(rng, (1.0, 0.98, 0.96), 0.08)
    thick = 0.1
    for axis in (0, 1):
        for side in (-1, 1):
            paper = common if rng.random() < 0.6 else papers[int(rng.integers(len(papers)))]
            centre, size = [0.0, 0.0, height / 2], [half[0], half[1], height / 2]
            centre[axis], size[axis] = side * (half[axis] + thick), thick
            solids.append(Solid(Shape.BOX, tuple(centre), tuple(size), (paper,) * 3, 0.0, tint,
                                (1.5, 1.5, 1.5), structure=True))
    solids.append(Solid(Shape.BOX, (0.0, 0.0, height + thick), (half[0], half[1], thick),
                        (Texture.CONCRETE,) * 3, 0.0, (1.35, 1.35, 1.32), (2.4, 2.4, 2.4),
                        structure=True))
    return solids


def _on_walls(rng: np.random.Generator, half: tuple[float, float], height: float) -> list[Solid]:
    """Pictures, windows and doors on the walls, a skirting, a rug on the floor."""
    solids = []
    pictures = (Texture.POSTER_A, Texture.POSTER_B, Texture.POSTER_C, Texture.WINDOW)
    for axis in (0, 1):
        other, length = 1 - axis, half[1 - axis]
        for side in (-1, 1):
            skirting, low = [0.008, 0.008, 0.05], [0.0, 0.0, 0.05]
            skirting[other], low[axis] = length, side * half[axis]
            solids.append(Solid(Shape.BOX, tuple(low), tuple(skirting), (Texture.WOOD,) * 3,
                                0.0, (1.3, 1.25, 1.2), (1.0, 1.0, 0.3)))
            at = -length + rng.uniform(0.5, 1.0)
            while at < length - 0.6:
                size, centre = [0.015, 0.015, 0.0], [0.0, 0.0, 0.0]
                if rng.random() < 0.2:
                    texture, size[other], size[2], centre[2] = Texture.DOOR, 0.42, 1.0, 1.0
                else:
                    texture = pictures[int(rng.integers(4))]
                    size[other], size[2] = rng.uniform(0.22, 0.5), rng.uniform(0.22, 0.5)
                    centre[2] = rng.uniform(1.2, height - 0.75)
                centre[axis], centre[other] = side * half[axis], at
                solids.append(Solid(Shape.BOX, tuple(centre), tuple(size), (texture,) * 3))
                at += rng.uniform(1.0, 1.8)
    solids.append(Solid(Shape.BOX, (rng.normal(0, 0.4), rng.normal(0, 0.4), 0.004),
                        (rng.uniform(0.6, 1.1), rng.uniform(0.5, 0.9), 0.004),
                        (Texture.FABRIC,) * 3, float(rng.uniform(0, 3)), tile=(0.6, 0.6, 0.6)))
    return solids


def _furniture(rng: np.random.Generator, half: tuple[float, float], free: Series) -> list[Solid]:
    """Shelves and sofas along the walls, tables, boxes, pillars and plants where nobody goes."""
    solids: list[Solid] = []
    taken: list[tuple[float, float, float]] = []

    def fits(x: float, y: float, radius: float, margin: float = 0.4) -> bool:
        away = np.hypot(free[:, 0] - x, free[:, 1] - y).min() > radius + margin
        return away and all(np.hypot(x - u, y - v) > 0.85 * (radius + r) for u, v, r in taken)

    for _ in range(60):
        wall = rng.random() < 0.65
        kind = rng.random()
        yaw = float(rng.uniform(0, 2 * np.pi))
        x, y = (float(rng.uniform(-h + 0.4, h - 0.4)) for h in half)
        if wall:
            axis, side = int(rng.integers(2)), int(rng.choice([-1, 1]))
            yaw = (np.pi / 2 * side if axis == 0 else (0.0 if side < 0 else np.pi))
            x, y = (side * (half[0] - 0.3), y) if axis == 0 else (x, side * (half[1] - 0.3))
        radius = 0.75 if wall else 0.45
        if not fits(x, y, radius if kind < 0.55 else 0.3):
            continue
        taken.append((x, y, radius if kind < 0.55 else 0.3))
        at: Vector = (x, y, 0.0)
        if kind < 0.3 and wall:
            size = (rng.uniform(0.4, 0.7), rng.uniform(0.14, 0.24), rng.uniform(0.4, 1.05))
            face = (Texture.SHELF, Texture.DOOR, Texture.WOOD)[int(rng.integers(3))]
            solids.append(Solid(Shape.BOX, (x, y, size[2]), size, (Texture.WOOD, face,
                          Texture.WOOD), yaw, jitter(rng, (1.15, 1.1, 1.05), 0.2)))
        elif kind < 0.42 and wall:
            solids += sofa(rng, at, yaw)
        elif kind < 0.55:
            solids += table(rng, at, yaw)
        elif kind < 0.8:
            size = tuple(rng.uniform(0.1, 0.27, 3))
            face = (Texture.POSTER_A, Texture.WOOD, Texture.FABRIC, Texture.SIDING,
                    Texture.POSTER_C)[int(rng.integers(5))]
            solids.append(Solid(Shape.BOX, (x, y, size[2]), size, (face, face, Texture.WOOD),
                                yaw + rng.normal(0, 0.3), jitter(rng, (1.1, 1.0, 0.9), 0.25)))
        elif kind < 0.92:
            pot = rng.uniform(0.12, 0.2)
            solids.append(Solid(Shape.CYLINDER, (x, y, pot), (pot * 0.8, pot * 0.8, pot),
                                (Texture.CONCRETE,) * 3, 0.0, (1.1, 0.8, 0.65), (0.5, 0.5, 0.5)))
            solids.append(Solid(Shape.ELLIPSOID, (x, y, 3.4 * pot),
                                (1.4 * pot, 1.4 * pot, 1.7 * pot), (Texture.FOLIAGE,) * 3, 0.0,
                                (1.1, 1.15, 1.05), (0.6, 0.6, 0.6)))
        else:
            r = rng.uniform(0.1, 0.16)
            solids.append(Solid(Shape.CYLINDER, (x, y, 1.6), (r, r, 1.6),
                                (Texture.CONCRETE,) * 3, 0.0, WHITE, (0.8, 0.8, 0.8),
                                structure=True))
    return solids
