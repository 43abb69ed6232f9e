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

"""What goes into the estimator, and what comes out."""

from dataclasses import dataclass
from enum import Enum

from mdepth_ros.engine.camera import Camera
from mdepth_ros.errors import BadImage
import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def require_image_of(camera: Camera, rgb: NDArray[np.uint8]) -> None:
    """
    Refuse what is no image of a camera.

    :param camera: says the size.
    :param rgb: must be (H, W, 3) uint8.
    :raises BadImage: if it is of another size or type.
    """
    expected = (camera.height, camera.width, 3)
    if rgb.shape != expected or rgb.dtype != np.uint8:
        raise BadImage(f'the camera gives {expected} uint8 images, got {rgb.shape} {rgb.dtype}')


@dataclass(frozen=True)
class Frame:
    """
    An image as it came: (H, W, 3) uint8 RGB, the camera that took it, and when [ns].

    :raises BadImage: if the image is of another type, or of another size than the camera's.
    """

    rgb: NDArray[np.uint8]
    camera: Camera
    stamp_ns: int

    def __post_init__(self) -> None:
        require_image_of(self.camera, self.rgb)


class Mode(Enum):
    """
    Whether a frame was matched with earlier ones.

    Its shape is S-DepthNet's if not. If so it is M-DepthNet's, which ``method='robust'`` blends
    with S-DepthNet's pixel by pixel, and with what the frames before saw.
    """

    SINGLE = 'single'
    MULTI = 'multi'


@dataclass(frozen=True)
class Timings:
    """
    Milliseconds that each stage of one frame took, one after the other.

    ``preprocess_ms`` is without what a new camera takes once. ``single_ms`` is S-DepthNet's.
    ``pose_ms`` is that of the motions, points that are followed included, and of describing the
    frame for matching beside that. ``multi_ms`` is matching, blending, filtering, steadying.
    """

    preprocess_ms: float
    single_ms: float
    pose_ms: float
    multi_ms: float


@dataclass(frozen=True)
class DepthEstimate:
    """
    The depth of one frame, at the network's resolution (H, W).

    ``depth`` and ``single_depth`` are (1, 1, H, W) metres along z, ``valid`` (1, 1, H, W) bool,
    ``confidence`` (1, 1, H, W) in [0, 1], ``K`` (3, 3) px, ``rgb`` (H, W, 3) uint8, what the
    networks saw. ``T_source_target`` (4, 4) maps this frame's points to the frame that
    it was matched with, of ``source_stamp_ns`` [m]; both are None in single mode, for which
    ``reason`` says why. ``T_previous_target`` and ``previous_stamp_ns`` are the same for the frame
    just before this one, None where the motion since then is unknown.

    ``scale`` is the estimator's, metres per network unit; ``single_depth`` carries it alone.
    ``depth`` and the motions carry it times a factor that keeps the depth from jumping, see
    :class:`~mdepth_ros.engine.steady.SteadyDepth`: divided by ``scale`` they are not in network
    units, except with ``method='published'``, which has no such factor.
    """

    depth: Tensor
    valid: Tensor
    confidence: Tensor
    single_depth: Tensor
    rgb: NDArray[np.uint8]
    K: Tensor
    stamp_ns: int
    mode: Mode
    reason: str
    T_source_target: Tensor | None
    source_stamp_ns: int | None
    T_previous_target: Tensor | None
    previous_stamp_ns: int | None
    scale: float
    timings: Timings
