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

"""A video of the images and their coloured depth, side by side."""

from pathlib import Path
from statistics import median

import cv2
from mdepth_ros.cli.predict.frame import PredictedFrame
from mdepth_ros.engine.rendering import color_picture
from mdepth_ros.errors import MdepthError, writing
from mdepth_ros.training.evaluation.depth_colours import depth_range
import numpy as np
from numpy.typing import NDArray

# The first frames wait until it is known how fast they come and how far they see.
FIRST_FRAMES = 10
MAX_WIDTH, MAX_HEIGHT = 960, 720  # of each half [px]
DEFAULT_FPS, MIN_FPS, MAX_FPS = 10.0, 0.1, 120.0  # the codec takes no years between frames
MAX_TICKS = 65535  # in a second, which the codec counts
Picture = NDArray[np.uint8]


class DepthVideo:
    """
    An MP4 file at the pace of the recording.

    One scale of colours for all frames: most of what the first ones see lies inside.

    :param path: the file, which appears when it is complete.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(f'.{path.stem}.partial{path.suffix}')
        self._waiting: list[tuple[int, Picture, NDArray[np.float32]]] = []
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._range = (1.0, 40.0)
        self._count = 0

    def write(self, frame: PredictedFrame) -> None:
        """Take the next frame."""
        if self._count == 0:
            self._size = _half_size(frame.rgb.shape[1], frame.rgb.shape[0])
        picture = cv2.resize(frame.rgb, self._size, interpolation=cv2.INTER_AREA)
        depth = cv2.resize(frame.rendering.depth, self._size, interpolation=cv2.INTER_NEAREST)
        self._waiting.append((frame.estimate.stamp_ns, np.asarray(picture, np.uint8),
                              np.asarray(depth, np.float32)))
        self._count += 1
        if self._writer is not None or self._count == FIRST_FRAMES:
            self._write_waiting()

    def close(self) -> str | None:
        """Complete the file."""
        if not self._count:
            return None
        self._write_waiting()
        if self._writer is not None:
            self._writer.release()
        if not cv2.VideoCapture(str(self._partial.absolute())).grab():  # OpenCV says nothing
            raise MdepthError(f'the video {self._path} is not whole (is the disk full?)')
        with writing(self._path):
            self._partial.replace(self._path)
        near, far = self._range
        return f'{self._path.name}: {self._count} frames, colours from {near:.2g} to {far:.2g} m'

    def _write_waiting(self) -> None:
        """Write what has been taken."""
        if self._writer is None:
            self._writer = self._open()
        for _, picture, depth in self._waiting:
            self._writer.write(np.hstack([cv2.cvtColor(picture, cv2.COLOR_RGB2BGR),
                                          color_picture(depth, *self._range)]))
        self._waiting = []

    def _open(self) -> cv2.VideoWriter:
        """Begin the file, by what the first frames tell."""
        steps_s = np.diff([stamp_ns for stamp_ns, _, _ in self._waiting]) * 1e-9
        forward = [float(step) for step in steps_s if step > 0]
        fps = 1.0 / median(forward) if forward else DEFAULT_FPS
        fps = min(max(fps, MIN_FPS), MAX_FPS)
        fps = round(fps, 3 if 1000 * fps < MAX_TICKS else 2)
        self._range = depth_range([depth for _, _, depth in self._waiting])
        width, height = self._size
        path = str(self._partial.absolute())  # 12:30/video.mp4 might name a protocol
        writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'mp4v'), fps, (2 * width, height))
        if not writer.isOpened():
            raise MdepthError(f'OpenCV cannot write the video {self._path}')
        return writer


def _half_size(width: int, height: int) -> tuple[int, int]:
    """Size of an image in the video [px], even, as the codec needs it."""
    scale = min(1.0, MAX_WIDTH / width, MAX_HEIGHT / height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
