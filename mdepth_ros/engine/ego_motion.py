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

"""How the camera moved since past frames: by followed points, or by PoseNet as published."""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from mdepth_ros.engine.backends.runner import Runner
from mdepth_ros.engine.corners import Image, search_image
from mdepth_ros.engine.frame_buffer import PastFrame
from mdepth_ros.engine.point_tracker import NO_POINTS, PointTracker, TrackedPoints
from mdepth_ros.engine.sources import find_sources, Source
from torch import Tensor


class EgoMotion(Protocol):
    """What the estimator asks for; ``capacity`` is how many past frames are of use."""

    capacity: int

    def reset(self) -> None:
        """Forget the frames that were tracked."""

    def track(self, rgb: Image, image: Tensor) -> TrackedPoints:
        """
        Follow points into the next frame.

        :param rgb: (H, W, 3) uint8 colours.
        :param image: the same as the networks take it, (1, 3, H, W) in [0, 1].
        """

    def sources(
        self, frames: Sequence[PastFrame], tracked: TrackedPoints, depth: Tensor, K: Tensor,
    ) -> list[Source]:
        """
        Find the motions since past frames.

        :param frames: oldest first, at most ``capacity`` of them.
        :param tracked: points of the target, which is the frame that was tracked last.
        :param depth: (1, 1, H, W) the target's single-frame depth [network units].
        :param K: (1, 3, 3) intrinsics [px].
        :return: those that are known, oldest first.
        """


class FollowedPoints:
    """
    Points and their single-frame depth: the motion has the scale of the depth.

    :param count: of sources that are wanted.
    """

    capacity = 16

    def __init__(self, count: int) -> None:
        self._count = count
        self._tracker = PointTracker()

    def reset(self) -> None:
        """Forget the last frame."""
        self._tracker.reset()

    def track(self, rgb: Image, image: Tensor) -> TrackedPoints:
        """Follow points, see :class:`EgoMotion`."""
        return self._tracker.push(search_image(rgb))

    def sources(
        self, frames: Sequence[PastFrame], tracked: TrackedPoints, depth: Tensor, K: Tensor,
    ) -> list[Source]:
        """Solve for motions, see :class:`EgoMotion`."""
        return find_sources(frames, tracked, depth, K, self._count)


class PoseNetMotion:
    """
    PoseNet, since the frame before.

    Source: paper, section III-A.
    """

    capacity = 1

    def __init__(self, networks: Runner) -> None:
        self._networks = networks
        self._images: deque[Tensor] = deque(maxlen=2)

    def reset(self) -> None:
        """Forget the last two images."""
        self._images.clear()

    def track(self, rgb: Image, image: Tensor) -> TrackedPoints:
        """Keep the image; no points are followed."""
        self._images.append(image)
        return NO_POINTS

    def sources(
        self, frames: Sequence[PastFrame], tracked: TrackedPoints, depth: Tensor, K: Tensor,
    ) -> list[Source]:
        """Ask the network, see :class:`EgoMotion`."""
        return [Source(frame, self._networks.motion_since(*self._images), 0.0) for frame in frames]
