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

"""A folder of images: by name, with 9 before 10, or as its ``frames.json`` lists them."""

from dataclasses import dataclass
from pathlib import Path
import re

from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.camera_choice import CameraChoice
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.datasets.frames_index import (
    DEFAULT_FPS,
    FILE_NAME,
    FrameEntry,
    FramesIndex,
    read_index,
)
from mdepth_ros.training.datasets.image_files import read_size
from mdepth_ros.training.datasets.sequence import DataError

# Where nobody says it [1/s].
FPS = 10.0
SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.ppm', '.tif', '.tiff')


@dataclass(frozen=True)
class ImageFolder:
    """
    The images' names, their camera, and ``frames.json``, where there is one.

    None of the images has been read but, for its size, the first one that can be.
    """

    path: Path
    entries: tuple[FrameEntry, ...]
    camera: Camera
    index: FramesIndex | None

    def stamp_ns(self, place: int, fps: float, start_ns: int = 0) -> int:
        """
        Return when an image was taken [ns].

        :param place: of the image among the entries.
        :param fps: images per second where there is no ``frames.json`` [1/s].
        :param start_ns: when the first one was taken, where stamps are not known [ns].
        """
        stamp_ns = self.entries[place].stamp_ns
        rate = fps if self.index is None else self.index.fps or DEFAULT_FPS
        return start_ns + round(place * 1e9 / rate) if stamp_ns is None else stamp_ns


def open_image_folder(path: Path, choice: CameraChoice) -> ImageFolder:
    """
    Look into a folder of images.

    :param path: the folder; for ``frames.json`` see
        :mod:`mdepth_ros.training.datasets.frames_index`.
    :param choice: the camera; without ``frames.json`` it is needed.
    :return: what is there.
    :raises MdepthError: if there are no images, or the camera is not known.
    """
    if not path.is_dir():
        raise MdepthError(f'no folder at {path}')
    index = read_index(path / FILE_NAME) if (path / FILE_NAME).is_file() else None
    entries = index.frames if index else tuple(
        FrameEntry(file.name) for file in sorted(path.iterdir(), key=_numbered)
        if file.suffix.lower() in SUFFIXES)
    if not entries:
        raise MdepthError(f'{path} has neither {FILE_NAME} nor images ({", ".join(SUFFIXES)})')
    name, width, height = _first_size(path, entries)
    if index and (index.width, index.height) != (width, height):
        raise MdepthError(f'{name} is {width} x {height}, '
                          f'{path / FILE_NAME} says {index.width} x {index.height}')
    camera = choice.camera(width, height)
    if camera is None:
        camera = index.camera() if index else choice.required(str(path), width, height)
    return ImageFolder(path, entries, camera, index)


def _numbered(file: Path) -> tuple[list[str | int], str]:
    """Return what sorts 9.png before 10.png."""
    pieces = re.split('([0-9]+)', file.name)  # text, digits, text and so on
    return [int(piece) if i % 2 else piece for i, piece in enumerate(pieces)], file.name


def _first_size(path: Path, entries: tuple[FrameEntry, ...]) -> tuple[str, int, int]:
    """Name, width and height [px] of the first image that can be read."""
    problems = []
    for entry in entries:
        try:
            return entry.image, *read_size(path / entry.image)
        except DataError as error:
            problems.append(error)
    raise MdepthError(f'{path}: none of the {len(entries)} images can be read; {problems[0]}')
