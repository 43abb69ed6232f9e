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

"""One image as the robot gets it, with what is known about it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mdepth_ros.engine.camera import Camera
from mdepth_ros.training.datasets.sequence import Sequence
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class View:
    """
    An image with its truth, at a time that may be another than the one at which it was taken.

    ``rgb`` (H, W, 3) uint8; ``truth`` (H', W') depth [m], NaN unknown, +Inf sky; ``moving``
    (H', W') what moves in the world; ``T_world_camera`` (4, 4). What is not known is None.
    ``linked`` says whether the camera came here from the view before, rather than being put here.
    """

    rgb: NDArray[np.uint8]
    camera: Camera
    stamp_ns: int
    truth: NDArray[np.float32] | None
    T_world_camera: NDArray[np.float64] | None
    moving: NDArray[np.bool_] | None
    linked: bool = True


def views_of(sequence: Sequence, indices: Iterable[int] | None = None) -> Iterator[View]:
    """
    Read a sequence as a camera gives it.

    :param sequence: any data.
    :param indices: which frames, rising; None for all.
    :return: the views, in order.
    :raises DataError: naming the file, if a frame cannot be read.
    """
    for i in range(len(sequence)) if indices is None else indices:
        yield View(sequence.rgb(i), sequence.camera, sequence.stamp_ns(i), sequence.depth(i),
                   sequence.T_world_camera(i), sequence.moving(i))
