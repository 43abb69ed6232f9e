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

"""What is predicted: a bag, a video, a folder of images, or a camera that is plugged in."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
import time

import cv2
from mdepth_ros.cli.image_folder import open_image_folder
from mdepth_ros.engine.camera_choice import CameraChoice
from mdepth_ros.errors import BadImage, MdepthError
from mdepth_ros.messages.bag import is_bag
from mdepth_ros.training.datasets.image_files import read_rgb
from mdepth_ros.training.datasets.sequence import DataError
from mdepth_ros.training.prepare.bag_source import BagSource
from mdepth_ros.training.prepare.options import PrepareOptions
from mdepth_ros.training.prepare.source_image import Rejected, Source, SourceImage
from mdepth_ros.training.prepare.video_source import VideoSource
import numpy as np
from numpy.typing import NDArray


def open_source(text: str, options: PrepareOptions, fps: float) -> Source:
    """
    Open what the user named.

    :param text: a path, also of a camera as /dev/video0, or, where nothing has that name, the
        number of a camera as OpenCV counts them.
    :param options: topics and camera.
    :param fps: images per second of a folder that does not say.
    :return: its images, read when they are asked for.
    :raises MdepthError: if it cannot be opened, or its camera is not known.
    """
    choice = options.camera_choice
    path = Path(text)
    if text.isdecimal() and not path.exists():
        return LiveSource(cv2.VideoCapture(int(text)), f'camera {text}', choice)
    if path.is_char_device():  # as /dev/video0
        return LiveSource(cv2.VideoCapture(text), text, choice)
    if not path.exists():
        raise MdepthError(f'no bag, video or folder at {path}')
    if is_bag(path):
        return BagSource(path, options)
    return FolderSource(path, choice, fps) if path.is_dir() else VideoSource(path, choice)


class FolderSource:
    """
    A folder of images; its stamps are those of ``frames.json``, or start at 0.

    :param path: the folder.
    :param choice: its camera, if ``frames.json`` does not say.
    :param fps: images per second where it does not say either [1/s].
    :raises MdepthError: if there are no images, or the camera is not known.
    """

    def __init__(self, path: Path, choice: CameraChoice, fps: float) -> None:
        self._folder = open_image_folder(path, choice)
        self._fps = fps
        self.name = path.name
        self.count = len(self._folder.entries)
        self.rectified = self._folder.index is not None and choice.file is None

    def images(self) -> Iterator[SourceImage | Rejected]:
        """Return all images."""
        folder = self._folder
        for place, entry in enumerate(folder.entries):
            yield SourceImage(folder.stamp_ns(place, self._fps), folder.camera,
                              partial(self._read, entry.image))

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _read(self, name: str) -> NDArray[np.uint8]:
        """Read one image."""
        camera = self._folder.camera
        try:
            return read_rgb(self._folder.path / name, camera.width, camera.height)
        except DataError as error:
            raise BadImage(str(error)) from error


class LiveSource:
    """
    A camera that is plugged in, until it is unplugged or the user has enough.

    :param capture: OpenCV's handle of it; closed with the source.
    :param name: for people.
    :param choice: the camera, which no driver tells OpenCV.
    :param clock: the time now [ns], which is the stamp of an image that comes now.
    :raises MdepthError: if no image comes, or the camera is not known.
    """

    count = 0  # nobody knows
    rectified = False

    def __init__(self, capture: cv2.VideoCapture, name: str, choice: CameraChoice,
                 clock: Callable[[], int] = time.time_ns) -> None:
        self.name = name
        self._capture, self._clock = capture, clock
        # What waits in the driver would get the stamp of a later time.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        ok, bgr = capture.read()
        if not ok:
            raise MdepthError(f'{name} gives no images')
        self._camera = choice.required(name, bgr.shape[1], bgr.shape[0])

    def images(self) -> Iterator[SourceImage | Rejected]:
        """Return all images from now on."""
        while self._capture.grab():
            yield SourceImage(self._clock(), self._camera, self._read)

    def close(self) -> None:
        """Release the camera."""
        self._capture.release()

    def _read(self) -> NDArray[np.uint8]:
        """Decode the image that came last."""
        ok, bgr = self._capture.retrieve()
        if not ok:
            raise BadImage('OpenCV cannot decode this image')
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
