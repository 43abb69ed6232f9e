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

"""Which frames are pushed, in which order, and which of them are scored."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mdepth_ros.training.datasets.kitti.eigen import TestFrame
from mdepth_ros.training.datasets.sequence import DataError, Sequence
import numpy as np
from numpy.typing import NDArray

LEAD = 8
Truth = Callable[[int], NDArray[np.float32] | None]


@dataclass(frozen=True)
class Stretch:
    """
    Frames that are pushed one after the other into an estimator that was just reset.

    ``indices`` of ``sequence`` rise; the first ``lead`` of them are not scored. ``truth`` gives
    the true depth of an index as :meth:`Sequence.depth` does.
    """

    sequence: Sequence
    indices: range
    lead: int
    truth: Truth


def whole_sequences(
    sequences: Iterable[Sequence], first: int = 0, last: int | None = None, every: int = 1
) -> list[Stretch]:
    """
    Score every frame that is pushed.

    :param sequences: what to play.
    :param first: first index of each sequence.
    :param last: last index of each sequence, itself included; None for its end.
    :param every: take each so manieth frame, as from a slower camera.
    :return: a stretch per sequence.
    :raises DataError: if a sequence has no such frames.
    """
    stretches = []
    for sequence in sequences:
        end = len(sequence) if last is None else last + 1
        if not 0 <= first < end <= len(sequence):
            raise DataError(f'{sequence.name} has frames 0 to {len(sequence) - 1}, '
                            f'asked for {first} to {end - 1}')
        stretches.append(Stretch(sequence, range(first, end, every), 0, sequence.depth))
    return stretches


def lone_frames(tests: Iterable[TestFrame]) -> list[Stretch]:
    """
    Score frames that stand alone, each after the frames that the estimator remembers.

    A robot would have seen all frames before; the last ``LEAD`` make nearly all of the difference.

    :param tests: such as the Eigen test set.
    :return: a stretch per frame.
    """
    return [_alone(test) for test in tests]


def _alone(test: TestFrame) -> Stretch:
    """One frame after those before it, as far as there are any."""
    lead = min(test.index, LEAD)
    return Stretch(test.sequence, range(test.index - lead, test.index + 1), lead,
                   lambda index: test.truth())
