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

"""Images of a video file."""

from collections.abc import Iterator
from pathlib import Path

import cv2
from mdepth_ros.engine.camera_choice import CameraChoice
from mdepth_ros.errors import BadImage, MdepthError
from mdepth_ros.training.prepare.source_image import BROKEN, Rejected, SourceImage
import numpy as np
from numpy.typing import NDArray

DEFAULT_FPS = 25.0
# Containers count a few images too many.
WHOLE = 0.9


class VideoSource:
    """
    A video, at its own frame rate; its stamps start at 0.

    :param path: any file that OpenCV reads.
    :param choice: the camera, which a video does not say.
    :raises MdepthError: if it cannot be read, or the camera is not known or of another size.
    """

    def __init__(self, path: Path, choice: CameraChoice) -> None:
        self._path = path
        self.name = path.name
        self.rectified = False
        capture = _open(path)
        ok, bgr = capture.read()
        self.count = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))  # unknown is negative
        self._fps = capture.get(cv2.CAP_PROP_FPS) or DEFAULT_FPS
        capture.release()
        if not ok:
            raise MdepthError(f'{path} is neither a bag nor a video that OpenCV can read')
        self.camera = choice.required(str(path), bgr.shape[1], bgr.shape[0])

    def images(self) -> Iterator[SourceImage | Rejected]:
        """Return all images, and what is wrong if these are far fewer than the file says."""
        capture = _open(self._path)

        def read_rgb() -> NDArray[np.uint8]:
            ok, bgr = capture.retrieve()
            if not ok:
                raise BadImage(f'{self._path}: OpenCV cannot decode this frame')
            return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)

        index = 0
        while capture.grab():
            yield SourceImage(round(index * 1e9 / self._fps), self.camera, read_rgb)
            index += 1
        capture.release()
        if index < WHOLE * self.count:
            yield Rejected(BROKEN, f'the video says that it has {self.count} images, of which '
                           f'{index} can be read')

    def close(self) -> None:
        """Do nothing: the file is open only while it is read."""


def _open(path: Path) -> cv2.VideoCapture:
    """Open a video; the start of a relative path, as in 12:30.mp4, might name a protocol."""
    return cv2.VideoCapture(str(path.absolute()))
