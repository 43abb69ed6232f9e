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

"""Which photograph may stand for which painted texture."""

from mdepth_ros.training.scenes.noise import Image
from mdepth_ros.training.scenes.photographs import Photographs, PhotoKind
from mdepth_ros.training.scenes.textures import Texture
import numpy as np
from numpy.typing import NDArray

# Of the worlds, and of the materials in them.
WORLDS, MATERIALS = 0.8, 0.7
# Of the painted grain on all surfaces, which hides the photographs' own.
GRAIN_LEFT = 0.35
FITTING = 2 / 3
# Materials beside those that have names, for what lies about.
MORE = 6

_MATERIALS: dict[Texture, tuple[PhotoKind, ...]] = {
    Texture.ASPHALT: (PhotoKind.GROUND, PhotoKind.PLASTER),
    Texture.PAVING: (PhotoKind.TILES, PhotoKind.BRICK, PhotoKind.GROUND),
    Texture.GRASS: (PhotoKind.GRASS, PhotoKind.GRASS, PhotoKind.GROUND),
    Texture.CONCRETE: (PhotoKind.PLASTER, PhotoKind.STONE),
    Texture.PLASTER: (PhotoKind.PLASTER,),
    Texture.BRICK: (PhotoKind.BRICK,),
    Texture.SIDING: (PhotoKind.PLANKS, PhotoKind.METAL),
    Texture.WOOD: (PhotoKind.WOOD,),
    Texture.PARQUET: (PhotoKind.PLANKS, PhotoKind.WOOD),
    Texture.TILES: (PhotoKind.TILES, PhotoKind.STONE),
    Texture.CARPET: (PhotoKind.FABRIC,),
    Texture.FABRIC: (PhotoKind.FABRIC,),
    Texture.WALLPAPER: (PhotoKind.PLASTER, PhotoKind.FABRIC, PhotoKind.BRICK),
    Texture.FOLIAGE: (PhotoKind.GRASS, PhotoKind.TREES),
    Texture.BARK: (PhotoKind.WOOD, PhotoKind.GROUND),
}
# Seen once and upright, and how often.
_PICTURES: dict[Texture, tuple[float, tuple[PhotoKind, ...]]] = {
    Texture.POSTER_A: (0.6, (PhotoKind.PLACE,)),
    Texture.POSTER_B: (0.6, (PhotoKind.PLACE,)),
    Texture.POSTER_C: (0.6, tuple(PhotoKind)),
    Texture.WINDOW: (0.3, (PhotoKind.PLACE,)),
    Texture.DOOR: (0.3, (PhotoKind.DOOR,)),
}
# These mean something: some get a photograph's structure, too, but none loses its own.
_THINGS = (Texture.FACADE_A, Texture.FACADE_B, Texture.FACADE_C, Texture.SHELF, Texture.CAR_SIDE,
           Texture.CAR_END, Texture.CAR_GLASS)
_GRAINY = 0.3


def with_photographs(
    textures: NDArray[np.float64], photographs: Photographs, rng: np.random.Generator
) -> NDArray[np.float64]:
    """
    Put photographs in place of many painted textures, and some more below.

    :param textures: (len(Texture), SIZE, SIZE, 3) painted.
    :param photographs: to choose from.
    :param rng: decides.
    :return: (len(Texture) + MORE, SIZE, SIZE, 3) in [0, 1].
    """
    mixed = textures.copy()
    for texture in Texture:
        painted = textures[texture]
        if texture in _MATERIALS:
            if rng.random() < MATERIALS:
                kinds = _MATERIALS[texture] if rng.random() < FITTING else tuple(PhotoKind)
                mixed[texture] = _coloured(photographs.crop(kinds, rng), painted, rng)
        elif texture in _PICTURES:
            share, kinds = _PICTURES[texture]
            if rng.random() < share:
                mixed[texture] = photographs.picture(kinds, rng)
        elif texture in _THINGS and rng.random() < _GRAINY:
            mixed[texture] = painted * _grain(photographs.crop(tuple(PhotoKind), rng), rng)
    grain = textures[Texture.GRAIN]
    mixed[Texture.GRAIN] = grain.mean() + GRAIN_LEFT * (grain - grain.mean())
    more = [photographs.crop(tuple(PhotoKind), rng) for _ in range(MORE)]
    return np.clip(np.concatenate([mixed, more]), 0, 1)


def _coloured(photograph: Image, painted: Image, rng: np.random.Generator) -> Image:
    """Give half of them the painted texture's colour: grey pictures and dark walls are rare."""
    if rng.random() < 0.5:
        return photograph
    return photograph * (painted.mean(axis=(0, 1)) / (photograph.mean(axis=(0, 1)) + 0.02))


def _grain(photograph: Image, rng: np.random.Generator) -> Image:
    """Brightness of a photograph as a factor of about 1."""
    brightness = photograph.mean(axis=2, keepdims=True) + 0.02
    return 1 + rng.uniform(0.2, 0.7) * (brightness / brightness.mean() - 1)
