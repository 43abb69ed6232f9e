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

"""Corners that are carried from frame to frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce

from mdepth_ros.engine.corners import CELL, find_corners, follow, Image, Points, WORKING_WIDTH
import numpy as np
from numpy.typing import NDArray

# More in one cell of the image take time and tell nothing new.
MOST_PER_CELL = 3


@dataclass(frozen=True)
class TrackedPoints:
    """In one frame, (N,) ascending numbers, the same in all frames, and (N, 2) x, y of points."""

    ids: NDArray[np.int64]
    points: Points


NO_POINTS = TrackedPoints(np.zeros(0, np.int64), np.zeros((0, 2), np.float32))


class PointTracker:
    """
    Follows corners, and replaces those that are lost.

    Wide gaps are bridged by the frames between them. Each frame costs one search, however many
    pairs of frames are compared later.
    """

    def __init__(self) -> None:
        self._image: Image | None = None
        self._tracked = NO_POINTS
        self._next_id = 0

    def reset(self) -> None:
        """Forget the last frame; numbers are not used again."""
        self._image, self._tracked = None, NO_POINTS

    def push(self, image: Image) -> TrackedPoints:
        """
        Follow the corners into the next frame.

        :param image: a working image, of the same size as the last one.
        :return: the points that were followed and new ones [px of the working image].
        """
        ids, points = self._tracked.ids, self._tracked.points
        if self._image is not None and len(points):
            points, followed = follow(self._image, image, points)
            ids, points = ids[followed], points[followed]
            few = _not_crowded(points)
            ids, points = ids[few], points[few]
        fresh = find_corners(image, points)
        ids = np.concatenate([ids, self._next_id + np.arange(len(fresh))])
        self._next_id += len(fresh)
        self._image, self._tracked = image, TrackedPoints(ids, np.concatenate([points, fresh]))
        return self._tracked


def _not_crowded(points: Points) -> NDArray[np.intp]:
    """Take the first of each cell: where the picture shrinks, points would pile up."""
    x, y = (points // CELL).astype(int).T
    cell = y * WORKING_WIDTH + x
    by_cell = np.argsort(cell, kind='stable')
    crowd = cell[by_cell]
    return np.sort(by_cell[np.arange(len(cell)) - np.searchsorted(crowd, crowd) < MOST_PER_CELL])


def displacement(first: TrackedPoints, second: TrackedPoints) -> float:
    """
    Measure how far the image moved from one frame to another.

    :param first: points of the one.
    :param second: points of the other.
    :return: median [working image's widths]; 1 where nothing is seen in both.
    """
    tracks = tracks_between(first, second)
    if not len(tracks):
        return 1.0
    return float(np.median(np.linalg.norm(tracks[:, 2:] - tracks[:, :2], axis=1))) / WORKING_WIDTH


def still_followed(earlier: TrackedPoints, later: TrackedPoints) -> int:
    """
    Count the points that both frames have.

    Numbers grow, and what is lost does not come back: what is as old as the earlier frame was in
    it.

    :param earlier: points of a frame since the last reset.
    :param later: points of the same frame or one after it.
    :return: how many.
    """
    return int(np.searchsorted(later.ids, earlier.ids[-1:], side='right').sum())


def tracks_between(*frames: TrackedPoints) -> NDArray[np.float32]:
    """
    Line up what is seen in all frames.

    :param frames: points of k frames.
    :return: (N, 2k) x, y in the first, x, y in the second and so on [px of the working image].
    """
    ids = reduce(partial(np.intersect1d, assume_unique=True), (frame.ids for frame in frames))
    return np.hstack([frame.points[np.searchsorted(frame.ids, ids)] for frame in frames])


def tracks_into(target: TrackedPoints, sources: Sequence[TrackedPoints]) -> NDArray[np.float32]:
    """
    Say where all points of one frame are in others.

    :param target: (N,) points of the one.
    :param sources: points of B others.
    :return: (B, N, 4) x, y in the target and x, y in the source, NaN where that does not have the
        point [px of the working image].
    """
    tracks = np.full((len(sources), len(target.ids), 4), np.nan, np.float32)
    tracks[..., :2] = target.points
    for row, source in zip(tracks, sources):
        _, here, there = np.intersect1d(target.ids, source.ids, assume_unique=True,
                                        return_indices=True)
        row[here, 2:] = source.points[there]
    return tracks
