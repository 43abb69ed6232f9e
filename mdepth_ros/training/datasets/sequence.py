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

"""What training and evaluation see of any data set: sequences of one camera's frames."""

from abc import ABC, abstractmethod

from mdepth_ros.engine.camera import Camera
from mdepth_ros.errors import MdepthError
import numpy as np
from numpy.typing import NDArray


class DataError(MdepthError):
    """Data that is missing, broken or of no use; the message names the file."""


class Sequence(ABC):
    """
    Frames of one camera in the order of time, read when they are asked for.

    What a data set does not know, it does not override: truth, poses and moving objects are None.
    Indices run from 0 to ``len(sequence) - 1``.

    :ivar name: unique in its data set, for people and for logs.
    :ivar camera: of all its images; rectified, so without distortion.
    :ivar targets: indices of the frames to train on, None for all; the others are neighbours only.
    """

    name: str
    camera: Camera
    targets: tuple[int, ...] | None = None

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of frames."""

    @abstractmethod
    def stamp_ns(self, index: int) -> int:
        """Return when a frame was taken [ns]; later frames have later stamps."""

    @abstractmethod
    def rgb(self, index: int) -> NDArray[np.uint8]:
        """
        Read an image.

        :param index: which frame.
        :return: (H, W, 3) uint8 RGB of the camera's size.
        :raises DataError: naming the file, if it is missing, broken or of another size.
        """

    def depth(self, index: int) -> NDArray[np.float32] | None:
        """
        Read the true depth along z, for evaluation only.

        :param index: which frame.
        :return: (H', W') [m] over the image's field of view, at a size of its own; NaN where it is
            not known, +Inf for the sky. None if the frame has no truth.
        :raises DataError: as for :meth:`rgb`.
        """
        return None

    def T_world_camera(self, index: int) -> NDArray[np.float64] | None:
        """Return the (4, 4) true pose, optical frame [m]; None where it is not known."""
        return None

    def moving(self, index: int) -> NDArray[np.bool_] | None:
        """Return the (H', W') mask of what moves in the world; None where it is not known."""
        return None
