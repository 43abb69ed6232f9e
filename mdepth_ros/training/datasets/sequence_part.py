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

"""Some consecutive frames of a sequence, such as those held back for evaluation."""

from mdepth_ros.training.datasets.sequence import DataError, Sequence
import numpy as np
from numpy.typing import NDArray


def check_index(sequence: Sequence, index: int) -> None:
    """
    Refuse an index outside the sequence; Python's -1, the last frame, is no neighbour of 0.

    :param sequence: what is indexed.
    :param index: which frame.
    :raises IndexError: naming the sequence and its length.
    """
    if not 0 <= index < len(sequence):
        raise IndexError(f'{sequence.name} has frames 0 to {len(sequence) - 1}, got {index}')


class SequencePart(Sequence):
    """
    The frames [first, end) of a sequence, numbered from 0.

    :param whole: the sequence.
    :param first: its first frame that belongs to the part.
    :param end: its first frame that does not any more.
    :raises DataError: if the sequence does not have these frames, or there are none.
    """

    def __init__(self, whole: Sequence, first: int, end: int) -> None:
        if not 0 <= first < end <= len(whole):
            raise DataError(f'{whole.name} has frames [0, {len(whole)}), '
                            f'asked for [{first}, {end})')
        self.name = f'{whole.name}[{first}:{end}]'
        self.camera = whole.camera
        if whole.targets is not None:
            self.targets = tuple(i - first for i in whole.targets if first <= i < end)
        self._whole = whole
        self._frames = range(first, end)

    def __len__(self) -> int:
        return len(self._frames)

    def stamp_ns(self, index: int) -> int:
        """Return when a frame was taken [ns]."""
        return self._whole.stamp_ns(self._of_whole(index))

    def rgb(self, index: int) -> NDArray[np.uint8]:
        """Read an image, (H, W, 3) RGB."""
        return self._whole.rgb(self._of_whole(index))

    def depth(self, index: int) -> NDArray[np.float32] | None:
        """Read the true depth, (H', W') [m]."""
        return self._whole.depth(self._of_whole(index))

    def T_world_camera(self, index: int) -> NDArray[np.float64] | None:
        """Return the (4, 4) true pose."""
        return self._whole.T_world_camera(self._of_whole(index))

    def moving(self, index: int) -> NDArray[np.bool_] | None:
        """Return the (H', W') mask of what moves."""
        return self._whole.moving(self._of_whole(index))

    def _of_whole(self, index: int) -> int:
        """Return the number of a frame in the whole sequence."""
        check_index(self, index)
        return self._frames[index]
