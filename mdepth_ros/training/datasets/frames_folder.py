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

"""Frames folders: images on disk with a ``frames.json`` that says what is known about them."""

import os
from pathlib import Path

from mdepth_ros.training.datasets.frames_index import FILE_NAME, FrameEntry, read_index
from mdepth_ros.training.datasets.image_files import read_depth, read_mask, read_rgb
from mdepth_ros.training.datasets.sequence import DataError, Sequence
from mdepth_ros.training.datasets.sequence_part import check_index, SequencePart
import numpy as np
from numpy.typing import NDArray

# What `mdepth prepare` keeps until it is through: a folder that holds it is not finished.
JOURNAL = 'journal.jsonl'


class FramesFolder(Sequence):
    """
    One folder with a ``frames.json``.

    :param folder: the folder.
    :param name: what to call it; by default the folder's own name.
    :raises DataError: if its ``frames.json`` is missing or wrong.
    :ivar index: the content of ``frames.json``.
    """

    def __init__(self, folder: Path, name: str | None = None) -> None:
        self.index = read_index(folder / FILE_NAME)
        self.name = folder.resolve().name if name is None else name
        self.camera = self.index.camera()
        self._folder = folder

    def __len__(self) -> int:
        return len(self.index.frames)

    def stamp_ns(self, index: int) -> int:
        """Return when a frame was taken [ns]."""
        check_index(self, index)
        return self.index.stamp_ns(index)

    def rgb(self, index: int) -> NDArray[np.uint8]:
        """Read an image, (H, W, 3) RGB."""
        return read_rgb(self._folder / self._entry(index).image, self.camera.width,
                        self.camera.height)

    def depth(self, index: int) -> NDArray[np.float32] | None:
        """Read the true depth, (H', W') [m]."""
        file = self._entry(index).depth
        return None if file is None else read_depth(self._folder / file, self.index.depth_unit_m)

    def T_world_camera(self, index: int) -> NDArray[np.float64] | None:
        """Return the (4, 4) true pose."""
        return self._entry(index).T_world_camera

    def moving(self, index: int) -> NDArray[np.bool_] | None:
        """Read the (H', W') mask of what moves."""
        file = self._entry(index).moving
        return None if file is None else read_mask(self._folder / file)

    def _entry(self, index: int) -> FrameEntry:
        """Return what is known about a frame."""
        check_index(self, index)
        return self.index.frames[index]


def open_frames(path: Path, first: int = 0, end: int | None = None) -> list[Sequence]:
    """
    Open a frames folder, or all of them in a tree, in the order of their names.

    :param path: a folder with ``frames.json``, or one with such folders at any depth.
    :param first: first frame to take; frames are counted through all the folders.
    :param end: first frame not to take any more; None takes all the rest.
    :return: the sequences, or the parts of them that lie in [first, end); at least one.
    :raises DataError: if there are none, if a ``frames.json`` is wrong, if `mdepth prepare` has
        not finished there, or if there are not as many frames.
    """
    folders = find_frames_folders(path)
    if not folders:
        raise DataError(f'{path} holds no {FILE_NAME}, nor does any folder in it')
    sequences = [FramesFolder(folder, None if folder == path
                              else folder.relative_to(path).as_posix()) for folder in folders]
    count = sum(map(len, sequences))
    end = count if end is None else end
    if not 0 <= first < end <= count:
        raise DataError(f'{path} has frames [0, {count}), asked for [{first}, {end})')
    parts: list[Sequence] = []
    start = 0
    for sequence in sequences:
        low, high = max(first - start, 0), min(end - start, len(sequence))
        if low < high:
            whole = high - low == len(sequence)
            parts.append(sequence if whole else SequencePart(sequence, low, high))
        start += len(sequence)
    return parts


def find_frames_folders(path: Path) -> list[Path]:
    """
    Find the frames folders in a tree; what lies in one is its images.

    :param path: where to look, links followed.
    :return: folders with a ``frames.json``, sorted by name; empty if there are none.
    :raises DataError: if `mdepth prepare` has not finished in one of the folders.
    """
    found, seen = [], set()
    for name, below, files in os.walk(path, followlinks=True):
        folder = Path(name)
        # A link that leads back up would never end.
        if folder.resolve() in seen:
            below.clear()
            continue
        seen.add(folder.resolve())
        if JOURNAL in files:
            raise DataError(f'{folder} is not finished, {JOURNAL} is still there: '
                            'run the same `mdepth prepare` again, it goes on where it stopped')
        if FILE_NAME in files:
            found.append(folder)
            below.clear()
    return sorted(found)
