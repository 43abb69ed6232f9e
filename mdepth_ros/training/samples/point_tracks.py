"""Which points of one frame are where in another one, remembered from epoch to epoch."""

import cv2
import numpy as np
from numpy.typing import NDArray

from mdepth_ros.engine.corners import working_image, working_size
from mdepth_ros.engine.tracked_motion import follow_corners
from mdepth_ros.training.datasets.sequence import Sequence

Tracks = NDArray[np.float32]


class PointTracks:
    """
    Points of a data set's frames.

    :param count: how many points of a pair are given.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._known: dict[tuple[str, int, int], Tracks] = {}

    def between(self, sequence: Sequence, first: int, second: int) -> Tracks:
        """
        Follow corners from one frame into another.

        :param sequence: has both.
        :param first: index of the one.
        :param second: index of the other.
        :return: (count, 4) x, y in the first and x, y in the second image [px of the camera],
            spread over the image; rows of NaN where there are fewer.
        """
        key = (sequence.name, first, second)
        if key not in self._known:
            found = self._follow(sequence, first, second)
            spread = np.linspace(0, len(found), self.count, endpoint=False).astype(int)
            chosen = np.full((self.count, 4), np.nan, np.float32)
            some = found if len(found) <= self.count else found[spread]
            chosen[:len(some)] = some
            self._known[key] = chosen
        return self._known[key]

    def _follow(self, sequence: Sequence, first: int, second: int) -> Tracks:
        """All tracks of a pair, (N, 4)."""
        return follow_corners(_searchable(sequence, first), _searchable(sequence, second),
                              sequence.camera.width, sequence.camera.height)


def _searchable(sequence: Sequence, index: int) -> NDArray[np.uint8]:
    """Read a frame for the search of corners."""
    grey = np.asarray(cv2.cvtColor(sequence.rgb(index), cv2.COLOR_RGB2GRAY), np.uint8)
    return working_image(grey, working_size(sequence.camera.width, sequence.camera.height))
