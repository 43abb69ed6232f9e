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

"""Frames on the disk: whole files or none."""

from functools import partial
from pathlib import Path
import shutil

import cv2
from mdepth_ros import errors
from mdepth_ros.messages.depth_images import to_millimetres
from mdepth_ros.training.datasets.frames_index import FILE_NAME, FramesIndex, write_index
from mdepth_ros.training.datasets.image_files import write_image
import numpy as np
from numpy.typing import NDArray

JPEG_QUALITY = 95
ADVICE = '; nothing is lost, run the same command again once it can be written'
writing = partial(errors.writing, advice=ADVICE)


class FrameWriter:
    """
    Writes the sequences of one source, each into a numbered folder.

    :param folder: where the numbered folders go.
    :param png: PNG, which loses nothing, instead of JPEG.
    :ivar folder: the same folder.
    """

    def __init__(self, folder: Path, png: bool) -> None:
        self.folder = folder
        self._suffix = '.png' if png else '.jpg'
        # PNG's first level is several times faster, for a tenth more bytes.
        self._how = ([cv2.IMWRITE_PNG_COMPRESSION, 1] if png
                     else [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])

    def image_name(self, index: int) -> str:
        """Name of the n-th image, relative to its sequence's folder."""
        return f'image/{index:06}{self._suffix}'

    def depth_name(self, index: int) -> str:
        """Name of the n-th depth image, relative to its sequence's folder."""
        return f'depth/{index:06}.png'

    def write_image(self, sequence: int, index: int, rgb: NDArray[np.uint8]) -> None:
        """
        Write an image.

        :param sequence: number of its sequence.
        :param index: its number in that.
        :param rgb: (H, W, 3) uint8.
        :raises MdepthError: if the disk does not take it.
        """
        write_image(self._path(sequence) / self.image_name(index),
                    cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), self._how, ADVICE)

    def write_depth(self, sequence: int, index: int, depth: NDArray[np.float32]) -> None:
        """
        Write depth in millimetres, 0 where there is none or more than 65.535 m.

        :param sequence: number of its sequence.
        :param index: its number in that.
        :param depth: (H, W) [m], NaN where there is none.
        :raises MdepthError: if the disk does not take it.
        """
        write_image(self._path(sequence) / self.depth_name(index), to_millimetres(depth),
                    [cv2.IMWRITE_PNG_COMPRESSION, 1], ADVICE)

    def finish(self, sequence: int, index: FramesIndex) -> None:
        """
        Make a sequence count, all of its images being written.

        :param sequence: its number.
        :param index: its frames.
        :raises MdepthError: if the disk does not take it.
        """
        path = self._path(sequence) / FILE_NAME
        with writing(path):
            write_index(index, path)

    def remove(self, sequence: int | None = None) -> None:
        """
        Remove a sequence's folder, if there is one.

        :param sequence: its number; None is the folder of all sequences.
        """
        path = self.folder if sequence is None else self._path(sequence)
        with writing(path):
            if path.exists():
                shutil.rmtree(path)

    def _path(self, sequence: int) -> Path:
        """Folder of a sequence."""
        return self.folder / f'{sequence:03}'
