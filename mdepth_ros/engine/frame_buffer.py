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

"""The past frames that a new one may be matched with."""

from collections.abc import Iterator
from dataclasses import dataclass

from mdepth_ros.engine.backends.runner import Description
from mdepth_ros.engine.point_tracker import NO_POINTS, TrackedPoints

# Most of a frame is out of view when the image has moved so far since [image widths].
OUT_OF_VIEW = 0.6
# Two frames between which the image moved less are one and the same [image widths].
SAME_VIEW = 1e-3


@dataclass(frozen=True)
class PastFrame:
    """
    What matching needs of an earlier frame.

    Its ``description``, its context left empty: only a target's is of use. Where the ``tracked``
    points were. Since the buffer was empty, the image has moved by ``travelled``, and by
    ``parallax`` for the camera's translation alone, as far as that is known [image widths].
    """

    description: Description
    stamp_ns: int
    tracked: TrackedPoints = NO_POINTS
    travelled: float = 0.0
    parallax: float = 0.0


class FrameBuffer:
    """
    A bounded number of frames, oldest first, the newest one always among them.

    The farther back, the wider apart they are in the image: a fast camera finds a frame with
    parallax among them as a slow one does, and a robot that stopped keeps what it saw on its way.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f'capacity must be at least 1, got {capacity}')
        self._capacity = capacity
        self._frames: list[PastFrame] = []

    def append(self, frame: PastFrame) -> None:
        """
        Add the newest frame; when full, drop the one that is missed least.

        :raises ValueError: if it is not newer than the newest one.
        """
        newest = self.newest
        if newest is not None and frame.stamp_ns <= newest.stamp_ns:
            raise ValueError(f'stamp_ns must be after {newest.stamp_ns}, got {frame.stamp_ns}')
        self._frames.append(frame)
        if len(self._frames) > self._capacity:
            del self._frames[self._least_missed()]

    @property
    def newest(self) -> PastFrame | None:
        """Return the frame that was added last, if any."""
        return self._frames[-1] if self._frames else None

    def clear(self) -> None:
        """Forget everything."""
        self._frames.clear()

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[PastFrame]:
        return iter(self._frames)

    def _least_missed(self) -> int:
        """Find the frame with the nearest neighbours, as seen from the newest one."""
        travelled = [frame.travelled for frame in self._frames]
        now = travelled[-1]
        if len(travelled) < 3 or now - travelled[0] > OUT_OF_VIEW:
            return 0
        return min(range(1, len(travelled) - 1), key=lambda i: (
            (travelled[i + 1] - travelled[i - 1]) / (now - travelled[i] + SAME_VIEW)))
