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

"""One cloud of many frames: what falls into a cell of space becomes one point."""

from dataclasses import dataclass

from mdepth_ros.errors import MdepthError
import numpy as np
from numpy.typing import NDArray

# Cells along an axis: three numbers of 21 bits fit into an int64.
AXIS_BITS = 21
HALF = 1 << (AXIS_BITS - 1)
# Frames after which a cell that too few of them saw is taken for an error.
FORGET_AFTER = 100


@dataclass(frozen=True, eq=False)
class _Cells:
    """
    What is known of cells, ascending by ``number`` (C).

    ``sums`` (C, 7) are the weighted sums of x y z r g b, and of the weights; ``frames`` (C) how
    many frames saw each, and ``last`` (C) the number of the last of them.
    """

    number: NDArray[np.int64]
    sums: NDArray[np.float64]
    frames: NDArray[np.int64]
    last: NDArray[np.int64]


class FusedCloud:
    """
    A grid in space that keeps the mean of what each cell was given.

    Near points count more: the error of a depth grows with the depth, so its weight is 1/z^2.
    Cells that too few frames saw are most of all, and are forgotten once the camera has gone on.

    :param cell_m: edge of a cell [m].
    :param min_frames: a cell that fewer frames saw is not in the cloud, if there were so many.
    """

    def __init__(self, cell_m: float, min_frames: int = 1) -> None:
        self._cell_m, self._min_frames, self._frames = cell_m, min_frames, 0
        self._cells = _Cells(np.zeros(0, np.int64), np.zeros((0, 7)), np.zeros(0, np.int64),
                             np.zeros(0, np.int64))
        self._waiting: list[_Cells] = []  # of frames that are not among the cells yet

    def add(self, points: NDArray[np.float32], rgb: NDArray[np.uint8],
            T_world_camera: NDArray[np.float64]) -> None:
        """
        Add the points of one frame.

        :param points: (N, 3) in the camera's frame, z > 0 [m].
        :param rgb: (N, 3) uint8 colours.
        :param T_world_camera: (4, 4) the camera's pose [m].
        :raises MdepthError: if they are too far from the origin for a grid as fine as this.
        """
        self._frames += 1
        if not len(points):
            return
        in_world = points @ T_world_camera[:3, :3].T + T_world_camera[:3, 3]
        place = np.floor(in_world / self._cell_m).astype(np.int64) + HALF
        if place.min() < 0 or place.max() >= 2 * HALF:
            raise MdepthError(f'a grid of {self._cell_m:g} m ends {HALF * self._cell_m:.1f} m '
                              'from where it starts, and the path leads out of it')
        number, index = np.unique((place[:, 0] << 2 * AXIS_BITS) | (place[:, 1] << AXIS_BITS)
                                  | place[:, 2], return_inverse=True)
        weight = 1.0 / np.square(points[:, 2:].astype(np.float64))
        values = np.hstack([in_world * weight, rgb * weight, weight])
        sums = np.asarray(
            np.stack([np.bincount(index, column) for column in values.T], axis=1), np.float64)
        self._waiting.append(_Cells(
            number, sums, np.ones_like(number), np.full_like(number, self._frames)))
        # Merging sorts all cells; once they have doubled, a long run does not pay for it by frame.
        if sum(len(cells.number) for cells in self._waiting) > len(self._cells.number):
            self._merge()

    def cloud(self) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """
        Return a point for each cell that enough frames saw.

        :return: (N, 3) points [m] in the world of the poses, and (N, 3) uint8 colours.
        """
        self._merge()
        sums = self._cells.sums[self._cells.frames >= min(self._min_frames, self._frames)]
        means = sums[:, :6] / sums[:, 6:]
        return means[:, :3].astype(np.float32), np.rint(means[:, 3:]).astype(np.uint8)

    def _merge(self) -> None:
        """Add the waiting frames to what is known of the same cells."""
        if not self._waiting:
            return
        together = [self._cells, *self._waiting]
        number, index = np.unique(np.concatenate([cells.number for cells in together]),
                                  return_inverse=True)
        sums = np.zeros((len(number), 7))
        frames, last = np.zeros((2, len(number)), np.int64)
        ends = np.cumsum([len(cells.number) for cells in together])
        # None has a cell twice, so that plain indexing adds up.
        for cells, where in zip(together, np.split(index, ends[:-1])):
            sums[where] += cells.sums
            frames[where] += cells.frames
            last[where] = cells.last  # later ones come later
        kept = (frames >= self._min_frames) | (last > self._frames - FORGET_AFTER)
        self._cells = _Cells(number[kept], sums[kept], frames[kept], last[kept])
        self._waiting = []
