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

"""Domain randomisation: the same worlds with other materials, light, clutter and mountings."""

from copy import deepcopy
from dataclasses import replace

from mdepth_ros.training.scenes.config import SceneConfig
from mdepth_ros.training.scenes.country import open_up
from mdepth_ros.training.scenes.noise import jitter
from mdepth_ros.training.scenes.paths import poses, Series
from mdepth_ros.training.scenes.photo_materials import with_photographs, WORLDS
from mdepth_ros.training.scenes.photographs import Photographs
from mdepth_ros.training.scenes.shapes import Shape, Solid, STATIC, Vector
from mdepth_ros.training.scenes.textures import Texture
from mdepth_ros.training.scenes.world import Light, World
import numpy as np

# Those that the renderer reads for itself.
_KEPT = (Texture.PLAIN, Texture.CLOUDS, Texture.GRAIN)
_STUFF = (Texture.PLAIN, Texture.PLAIN, Texture.WOOD, Texture.FABRIC, Texture.CONCRETE,
          Texture.PLASTER, Texture.SIDING, Texture.POSTER_A, Texture.POSTER_B, Texture.SHELF,
          Texture.TILES, Texture.BRICK, Texture.FOLIAGE, Texture.BARK)


def vary(
    world: World, config: SceneConfig, rng: np.random.Generator,
    photographs: Photographs | None = None,
) -> World:
    """
    Make a world less like its siblings, so that a network cannot learn the renderer by heart.

    Source: Tobin et al. 2017, domain randomisation.

    :param world: any world.
    :param config: the sequence that it is for.
    :param rng: source of randomness.
    :param photographs: show on many surfaces, if given; everything else is the same with them.
    :return: another world; its new solids may be in the camera's way.
    """
    # Of its own, so that a seed's world has the same shape with photographs as without.
    own = np.random.default_rng(deepcopy(rng).integers(2 ** 63))
    textures = world.textures
    if photographs is not None and own.random() < WORLDS:
        textures = with_photographs(textures, photographs, own)
    T = _mount(world.T_world_camera, config, rng)
    if config.kind == 'driving' and rng.random() < 0.6:
        world = open_up(world, rng)
    return replace(
        world, T_world_camera=T, textures=_materials(textures, rng),
        light=_light(world.light, rng),
        solids=[_repaint(solid, rng) for solid in world.solids]
        + [solid for thing in _clutter(T, config, rng)
           for solid in _photographed(thing, len(textures), own)])


def _mount(T: Series, config: SceneConfig, rng: np.random.Generator) -> Series:
    """Turn the camera on its mount; a hand holds it at any height."""
    steep = {'driving': 0.06, 'indoor': 0.15, 'handheld': 0.25}[config.kind]
    yaw = 0.0 if rng.random() < 0.7 else rng.uniform(-np.pi, np.pi)
    pitch, roll = rng.normal(0, steep), rng.normal(0, 0.4 * steep)
    if config.kind == 'handheld' and rng.random() < 0.1:
        roll += rng.choice([-1, 1]) * np.pi / 2
    # The same turn in every frame, in the camera's own axes.
    ahead, turned = (poses(np.zeros((1, 3)), *(np.array([a]) for a in angles))[0, :3, :3]
                     for angles in ((0.0, 0.0, 0.0), (yaw, pitch, roll)))
    T = T.copy()
    T[:, :3, :3] = T[:, :3, :3] @ ahead.T @ turned
    T[:, 2, 3] *= rng.uniform(*{'driving': (0.5, 1.3), 'indoor': (0.6, 3.0),
                                'handheld': (0.5, 1.25)}[config.kind])
    return T


def _materials(textures: Series, rng: np.random.Generator) -> Series:
    """Draw every texture's contrast, brightness and hue anew; many come out almost plain."""
    varied = textures.copy()
    for texture in Texture:
        if texture in _KEPT:
            continue
        image = textures[texture]
        mean = image.mean(axis=(0, 1))
        contrast = rng.uniform(0.0, 0.3) if rng.random() < 0.4 else rng.uniform(0.5, 1.5)
        colour = mean * np.exp(rng.normal(0, 0.35)) * np.exp(rng.normal(0, 0.08, 3))
        varied[texture] = colour + contrast * (image - mean)
    # From a clear sky to clouds, by day and towards the evening.
    sky = textures[Texture.CLOUDS]
    varied[Texture.CLOUDS] = sky.mean(axis=(0, 1)) * np.exp(rng.normal(0, 0.15, 3)) + (
        rng.uniform(0.0, 1.2) * (sky - sky.mean(axis=(0, 1))))
    # The faint grain over all surfaces, too: real plain walls have none.
    varied[Texture.GRAIN] = 0.5 + rng.uniform(0.0, 1.2) * (textures[Texture.GRAIN] - 0.5)
    return np.clip(varied, 0.0, 1.0)


def _light(light: Light, rng: np.random.Generator) -> Light:
    """From flat to harsh, from dim to glaring."""
    return replace(light, ambient=light.ambient * float(rng.uniform(0.45, 1.1)),
                   direct=light.direct * float(rng.uniform(0.3, 2.0)),
                   horizon=jitter(rng, light.horizon, 0.2))


def _repaint(solid: Solid, rng: np.random.Generator) -> Solid:
    """Another tint; windows may glare."""
    if Texture.WINDOW in solid.textures:
        return replace(solid, tint=(float(rng.uniform(0.7, 3.0)),) * 3)
    return replace(solid, tint=jitter_tint(rng, solid.tint, 0.3))


def jitter_tint(rng: np.random.Generator, tint: Vector, amount: float) -> Vector:
    """
    Vary a tint, which may exceed 1.

    :param rng: source of randomness.
    :param tint: factor of each channel.
    :param amount: standard deviation of the brightness's logarithm.
    :return: another tint.
    """
    r, g, b = (float(v) for v in np.asarray(tint) * np.exp(
        rng.normal(0, amount) + rng.normal(0, amount / 5, 3)))
    return r, g, b


def _clutter(T: Series, config: SceneConfig, rng: np.random.Generator) -> list[list[Solid]]:
    """Scatter things where the camera looks."""
    things: list[list[Solid]] = []
    near, far = (3.0, 40.0) if config.kind == 'driving' else (0.6, 6.0)
    for _ in range(int(rng.poisson(rng.uniform(0.0, 12.0)))):
        frame = T[int(rng.integers(len(T)))]
        distance = float(np.exp(rng.uniform(np.log(near), np.log(far))))
        heading = np.arctan2(frame[1, 2], frame[0, 2]) + rng.normal(0, 0.5)
        x, y = frame[:2, 3] + distance * np.array([np.cos(heading), np.sin(heading)])
        size = float(rng.uniform(0.15, 0.6)) * (distance / 3) ** 0.6
        thing = (_crate, _pole, _board, _seat, _bush, _pendant)[int(rng.integers(6))]
        things.append(thing(rng, (float(x), float(y), 0.0), size))
    return things


def _photographed(thing: list[Solid], rows: int, rng: np.random.Generator) -> list[Solid]:
    """Give half of the things one of the materials beyond those that have names, if any."""
    if rows == len(Texture) or rng.random() < 0.5:
        return thing
    row = int(rng.integers(len(Texture), rows))
    return [replace(solid, textures=(row,) * 3) for solid in thing]


def _crate(rng: np.random.Generator, at: Vector, size: float) -> list[Solid]:
    """Pile up one to three boxes or drums."""
    solids, z = [], 0.0
    for _ in range(int(rng.integers(1, 4))):
        half = size * rng.uniform(0.3, 1.0, 3)
        shape = Shape.BOX if rng.random() < 0.75 else Shape.CYLINDER
        solids.append(_solid(rng, shape, (at[0], at[1], z + half[2]), half))
        z += 2 * half[2]
    return solids


def _pole(rng: np.random.Generator, at: Vector, size: float) -> list[Solid]:
    """Something thin and upright."""
    r, h = size * rng.uniform(0.03, 0.2), size * rng.uniform(1.5, 4.0)
    return [_solid(rng, Shape.CYLINDER, (at[0], at[1], h), (r, r, h))]


def _board(rng: np.random.Generator, at: Vector, size: float) -> list[Solid]:
    """Put a standing or lying board in the air: a screen, a sign, a table's top."""
    half = size * np.array([rng.uniform(0.5, 2.0), 0.04, rng.uniform(0.3, 1.5)])
    if rng.random() < 0.4:
        half = half[[0, 2, 1]]
    z = half[2] + size * rng.uniform(0.0, 3.0)
    return [_solid(rng, Shape.BOX, (at[0], at[1], z), half)]


def _seat(rng: np.random.Generator, at: Vector, size: float) -> list[Solid]:
    """Build a chair: four thin legs, a seat and a back, of one material."""
    w, z, leg = 0.8 * size, 1.6 * size, 0.06 * size
    yaw = float(rng.uniform(0, 2 * np.pi))
    parts = [((0.0, 0.0, z), (w, w, 0.08 * size)), ((0.0, -w, z + w), (w, 0.06 * size, w))]
    parts += [((i * (w - leg), j * (w - leg), z / 2), (leg, leg, z / 2))
              for i in (-1, 1) for j in (-1, 1)]
    template = _solid(rng, Shape.BOX, at, (1.0, 1.0, 1.0))
    c, s = np.cos(yaw), np.sin(yaw)
    return [replace(template, yaw=yaw, half=half, centre=(
        float(at[0] + c * x - s * y), float(at[1] + s * x + c * y), z))
        for (x, y, z), half in parts]


def _bush(rng: np.random.Generator, at: Vector, size: float) -> list[Solid]:
    """Heap leaves loosely, with gaps to see through."""
    template = replace(_solid(rng, Shape.ELLIPSOID, at, (1.0, 1.0, 1.0)),
                       textures=(Texture.FOLIAGE,) * 3)
    solids = []
    for _ in range(int(rng.integers(5, 12))):
        x, y, z = np.asarray(at) + size * (rng.normal(0, 0.6, 3) + np.array([0.0, 0.0, 1.5]))
        r, h = size * rng.uniform(0.1, 0.4, 2)
        solids.append(replace(template, centre=(float(x), float(y), float(max(z, h))),
                              half=(float(r), float(r), float(h))))
    return solids


def _pendant(rng: np.random.Generator, at: Vector, size: float) -> list[Solid]:
    """Something round that hangs."""
    r, h = 0.5 * size * rng.uniform(0.4, 1.0, 2)
    z = size * rng.uniform(2.0, 5.0)
    cord = size * rng.uniform(1.0, 3.0)
    return [_solid(rng, Shape.ELLIPSOID, (at[0], at[1], z), (r, r, h)),
            _solid(rng, Shape.CYLINDER, (at[0], at[1], z + h + cord),
                   (0.03 * size, 0.03 * size, cord))]


def _solid(rng: np.random.Generator, shape: Shape, centre: Vector, half: Series | Vector
           ) -> Solid:
    """Make a solid of any material; round ones have one radius."""
    a, b, c = (float(v) for v in half)
    texture = _STUFF[int(rng.integers(len(_STUFF)))]
    tile = None if rng.random() < 0.5 else (float(rng.uniform(0.3, 2.0)),) * 3
    return Solid(shape, centre, (a, b if shape is Shape.BOX else a, c), (texture,) * 3,
                 float(rng.uniform(0, 2 * np.pi)), jitter(rng, (0.6, 0.55, 0.5), 0.6),
                 tile, track=STATIC)
