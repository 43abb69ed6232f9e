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

"""Which points of one frame are where in another one, remembered from epoch to epoch."""

from collections.abc import Callable

from mdepth_ros.engine.corners import search_image
from mdepth_ros.engine.tracked_motion import follow_corners
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Tracks = NDArray[np.float32]


class PointTracks:
    """
    Points of a data set's frames.

    :param count: how many points of a pair are given.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._known: dict[tuple[str, int, int], Tracks] = {}

    def between(
        self, sequence: str, first: int, second: int, read: Callable[[int], Image]
    ) -> Tracks:
        """
        Follow corners from one frame into another.

        :param sequence: name of the sequence that has both.
        :param first: index of the one.
        :param second: index of the other.
        :param read: gives the (H, W, 3) uint8 image of an index; called for a new pair only.
        :return: (count, 4) x, y in the first and x, y in the second image [px], spread over the
            image; rows of NaN where there are fewer.
        """
        key = (sequence, first, second)
        if key not in self._known:
            found = _follow(read(first), read(second))
            spread = np.linspace(0, len(found), self.count, endpoint=False).astype(int)
            chosen = np.full((self.count, 4), np.nan, np.float32)
            some = found if len(found) <= self.count else found[spread]
            chosen[:len(some)] = some
            self._known[key] = chosen
        return self._known[key]


def _follow(first: Image, second: Image) -> Tracks:
    """All tracks of a pair, (N, 4)."""
    height, width = first.shape[:2]
    return follow_corners(search_image(first), search_image(second), width, height)
