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

"""An image of a recording before it is decoded, and why it may be left out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from mdepth_ros.engine.camera import Camera
from mdepth_ros.errors import MdepthError
import numpy as np
from numpy.typing import NDArray

BROKEN = 'broken image'
NO_CAMERA = 'no camera info yet'
BAD_CAMERA = 'unusable camera info'
REPEATED = 'stamp repeats'
STATIC = 'static'
SHORT = 'in a sequence of fewer than 3 frames'
LEFT_OUT = 'left out by --every'


class Rejected(MdepthError):
    """
    An image that does not become a frame.

    :ivar reason: one of the above, under which it is counted.
    :ivar detail: what exactly was wrong, where there is more to say.
    """

    def __init__(self, reason: str, detail: str = '') -> None:
        super().__init__(f'{reason}: {detail}' if detail else reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class DepthReading:
    """
    True depth that belongs to an image.

    ``depth`` (H', W') float32 [m], NaN where there is none. ``in_image_frame`` says that it is in
    the frame of the image as it arrives: where the sizes are the same, the pixels are.
    """

    depth: NDArray[np.float32]
    in_image_frame: bool


@dataclass(frozen=True, eq=False)
class SourceImage:
    """
    One image with what is known about it.

    ``stamp_ns`` [ns]; ``camera`` as it arrives; ``T_odom_base`` (4, 4) [m] or None; ``frame_id``
    as ROS has it, empty where nobody said. ``read_rgb`` gives (H, W, 3) uint8 RGB or raises
    BadImage; ``read_depth`` gives None where there is none. Both may be called only until the next
    image is asked for.
    """

    stamp_ns: int
    camera: Camera
    read_rgb: Callable[[], NDArray[np.uint8]]
    read_depth: Callable[[], DepthReading | None] = lambda: None
    T_odom_base: NDArray[np.float64] | None = None
    frame_id: str = ''


class Source(Protocol):
    """
    A recording.

    :ivar name: for people.
    :ivar count: number of its images, for a progress bar; a video may not know it exactly.
    :ivar rectified: whether its images are, as far as it knows.
    """

    name: str
    count: int
    rectified: bool

    def images(self) -> Iterator[SourceImage | Rejected]:
        """Return all images in order; of those that cannot be used, why."""

    def close(self) -> None:
        """Close its file."""
