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

"""Photographs of materials and places, as textures: random crops that tile, or pictures."""

from collections.abc import Mapping, Sequence
from enum import Enum
import io
from pathlib import Path
import zipfile
import zlib

import cv2
from mdepth_ros.errors import MdepthError, one_line
from mdepth_ros.training.scenes.noise import Image, SIZE
from mdepth_ros.whole_file import write_whole
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
# Shortest side of a crop, as a share of the picture's: about a quarter of its area.
LEAST_SHARE = 0.45
# Crops of fewer pixels show the pixels.
LEAST_SIDE = 96
BRIGHTEST = 0.75  # on average
_OVERLAP = SIZE // 4


class PhotoKind(Enum):
    """What a photograph shows."""

    GROUND = 'ground'
    GRASS = 'grass'
    WOOD = 'wood'
    PLANKS = 'planks'
    BRICK = 'brick'
    PLASTER = 'plaster'
    TILES = 'tiles'
    STONE = 'stone'
    FABRIC = 'fabric'
    METAL = 'metal'
    TREES = 'trees'
    DOOR = 'door'
    PLACE = 'place'


class Photographs:
    """Photographs by kind."""

    def __init__(self, pictures: Mapping[PhotoKind, Sequence[Picture]]) -> None:
        """
        Take the photographs.

        :param pictures: each (H, W, 3) uint8 RGB.
        """
        self._pictures = {kind: list(some) for kind, some in pictures.items() if some}

    def crop(self, kinds: Sequence[PhotoKind], rng: np.random.Generator) -> Image:
        """
        Cut out a material that tiles.

        :param kinds: what it may show; anything if none of these was photographed.
        :param rng: decides.
        :return: (SIZE, SIZE, 3) in [0, 1]; the last row and column go on in the first.
        """
        picture = self._choose(kinds, rng)
        least = min(1.0, max(LEAST_SHARE, LEAST_SIDE / min(picture.shape[:2])))
        side = int(rng.uniform(least, 1.0) * min(picture.shape[:2]))
        image = _cut(picture, side, side, rng)
        image = np.rot90(image, int(rng.integers(4)))
        if rng.random() < 0.5:
            image = image[:, ::-1]
        tiled = _mirror(image) if rng.random() < 0.3 else _cross_fade(image)
        return _jitter_colours(tiled, rng)

    def picture(self, kinds: Sequence[PhotoKind], rng: np.random.Generator) -> Image:
        """
        Cut out a picture to be seen once, upright.

        :param kinds: as in :meth:`crop`.
        :param rng: decides.
        :return: (SIZE, SIZE, 3) in [0, 1].
        """
        picture = self._choose(kinds, rng)
        height, width = (int(rng.uniform(max(0.6, min(1.0, LEAST_SIDE / side)), 1.0) * side)
                         for side in picture.shape[:2])
        image = _resize(_cut(picture, height, width, rng), SIZE)
        return _jitter_colours(image[:, ::-1] if rng.random() < 0.5 else image, rng)

    def _choose(self, kinds: Sequence[PhotoKind], rng: np.random.Generator) -> Picture:
        """Choose a kind and one of its photographs: a kind with few is not rarer."""
        known = [kind for kind in kinds if kind in self._pictures] or list(self._pictures)
        some = self._pictures[known[int(rng.integers(len(known)))]]
        return some[int(rng.integers(len(some)))]


def load_photographs(path: Path) -> Photographs:
    """
    Read what ``python -m mdepth_ros.training.stage0.photographs`` wrote.

    :param path: the file.
    :return: its photographs.
    :raises MdepthError: if it is missing, or no such file.
    """
    pictures: dict[PhotoKind, list[Picture]] = {kind: [] for kind in PhotoKind}
    try:
        bank = np.load(path, allow_pickle=False)
        if isinstance(bank, np.ndarray):
            raise ValueError(f'it is an array of {bank.shape}')
        with bank:
            for name in sorted(bank.files):
                pictures[PhotoKind(name.split('/')[0])].append(_checked(bank[name]))
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise MdepthError(f'{path} must hold photographs by kind: {one_line(error)}') from error
    if not any(pictures.values()):
        raise MdepthError(f'{path} must hold photographs, got none')
    return Photographs(pictures)


def save_photographs(path: Path, pictures: Mapping[str, Picture]) -> None:
    """
    Write a file for :func:`load_photographs`.

    :param path: the file.
    :param pictures: (H, W, 3) uint8 RGB each, by ``kind/name``.
    :raises MdepthError: if the disk does not take it.
    """
    content = io.BytesIO()
    np.savez_compressed(content, **pictures)
    write_whole(path, content.getvalue())


def _checked(picture: Picture) -> Picture:
    """Refuse what is no picture."""
    if (picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3
            or not picture.size):
        raise ValueError('a picture must be (H, W, 3) uint8 and not empty, '
                         f'got {picture.shape} {picture.dtype}')
    return picture


def _cut(picture: Picture, height: int, width: int, rng: np.random.Generator) -> Picture:
    """Cut out a rectangle anywhere."""
    top, left = (int(rng.integers(whole - part + 1))
                 for whole, part in zip(picture.shape, (height, width)))
    return picture[top:top + height, left:left + width]


def _resize(image: Picture, side: int) -> Image:
    """Resize to a square, values in [0, 1]; enlarging smoothly, reducing without aliases."""
    smooth = cv2.INTER_AREA if min(image.shape[:2]) >= side else cv2.INTER_CUBIC
    resized = cv2.resize(image.astype(np.float32) / 255, (side, side), interpolation=smooth)
    return np.clip(resized.astype(np.float64), 0, 1)


def _mirror(image: Picture) -> Image:
    """Lay four mirrored copies side by side."""
    half = _resize(image, SIZE // 2)
    row = np.concatenate([half, half[:, ::-1]], axis=1)
    return np.concatenate([row, row[::-1]])


def _cross_fade(image: Picture) -> Image:
    """Fade what lies beyond the right and the lower edge into the opposite ones."""
    tiled = _resize(image, SIZE + _OVERLAP)
    mean = tiled.mean(axis=(0, 1))
    tiled = tiled - mean
    rising = (np.arange(_OVERLAP)[:, None, None] + 0.5) / _OVERLAP
    # Two unlike images: without the root, their mean would be flatter than either.
    weight = np.sqrt(rising ** 2 + (1 - rising) ** 2)
    for _ in range(2):
        tiled[:_OVERLAP] = (rising * tiled[:_OVERLAP] + (1 - rising) * tiled[SIZE:]) / weight
        tiled = tiled[:SIZE].transpose(1, 0, 2)
    return np.clip(mean + tiled, 0, 1)


def _jitter_colours(image: Image, rng: np.random.Generator) -> Image:
    """Another light and another camera; white walls stay dark enough to show their structure."""
    brightness = min(np.exp(rng.normal(0, 0.15)), BRIGHTEST / max(image.mean(), 1e-3))
    return np.clip(image * brightness * np.exp(rng.normal(0, 0.05, 3)), 0, 1)
