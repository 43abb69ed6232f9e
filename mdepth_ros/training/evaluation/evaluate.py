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

"""Play data through the estimator as a robot would, and score both of its depths."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple, dataclass

from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import Frame
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.datasets.sequence import Sequence
from mdepth_ros.training.evaluation.protocol import Protocol
from mdepth_ros.training.evaluation.scores import FrameScore, score_depths, Scores
from mdepth_ros.training.evaluation.stretches import Stretch
from mdepth_ros.training.evaluation.summary import Evaluation, summarise
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

# A camera that was slower since the frame before stands still [m/s]: 1 cm per frame at 10 Hz.
STILL_M_PER_S = 0.1


@dataclass(frozen=True)
class EvaluatedFrame:
    """
    A frame that was scored, with what it was scored from.

    ``rgb`` (H, W, 3) uint8; ``truth`` (H', W') [m] as :meth:`Sequence.depth` gives it, if there
    is one; ``single`` and ``multi`` (h, w) [m], NaN where there is no depth.
    """

    score: FrameScore
    rgb: NDArray[np.uint8]
    truth: NDArray[np.float32] | None
    single: NDArray[np.float32]
    multi: NDArray[np.float32]


def evaluate(
    estimator: DepthEstimator, stretches: Iterable[Stretch], protocol: Protocol,
    watch: Callable[[EvaluatedFrame], object] = lambda played: None,
) -> Evaluation:
    """
    Score the estimator frame after frame, as the robot would run it.

    :param estimator: what the node runs, too; it is reset before each stretch.
    :param stretches: what to play.
    :param protocol: which pixels of the truth count.
    :param watch: called with each frame, for progress and pictures.
    :return: all scores and their means.
    :raises MdepthError: naming the file or frame, if one cannot be read, run or scored.
    """
    scores = []
    for played in play(estimator, stretches, protocol):
        watch(played)
        scores.append(played.score)
    return summarise(scores)


def play(
    estimator: DepthEstimator, stretches: Iterable[Stretch], protocol: Protocol
) -> Iterator[EvaluatedFrame]:
    """
    Push every frame at its stamp; yield those that are to be scored.

    :param estimator: as for :func:`evaluate`.
    :param stretches: as for :func:`evaluate`.
    :param protocol: as for :func:`evaluate`.
    :return: the frames, in order.
    :raises MdepthError: as for :func:`evaluate`.
    """
    for stretch in stretches:
        estimator.reset()
        sequence = stretch.sequence
        previous: int | None = None
        for number, index in enumerate(stretch.indices):
            rgb, stamp_ns = sequence.rgb(index), sequence.stamp_ns(index)
            estimate = estimator.push(Frame(rgb, sequence.camera, stamp_ns))
            if number >= stretch.lead:
                truth = stretch.truth(index)
                single, multi = (depth_array(depth, estimate.valid) for depth in
                                 (estimate.single_depth, estimate.depth))
                score = FrameScore(
                    sequence.name, index, stamp_ns, estimate.mode,
                    _still(sequence, index, previous), sum(astuple(estimate.timings)),
                    None if truth is None else _score(
                        sequence, index, single, multi, truth, protocol))
                yield EvaluatedFrame(score, rgb, truth, single, multi)
            previous = index


def _score(
    sequence: Sequence, index: int, single: NDArray[np.float32], multi: NDArray[np.float32],
    truth: NDArray[np.float32], protocol: Protocol,
) -> Scores | None:
    """Score a frame; errors name it."""
    try:
        return score_depths(single, multi, truth, sequence.moving(index), protocol)
    except MdepthError as error:
        raise MdepthError(f'{sequence.name}, frame {index}: {error}') from error


def depth_array(depth: Tensor, valid: Tensor) -> NDArray[np.float32]:
    """
    Take a depth out of an estimate.

    :param depth: (1, 1, h, w) [m].
    :param valid: (1, 1, h, w) bool, the estimate's.
    :return: (h, w) [m], NaN for what is no depth.
    """
    usable = depth.isfinite() & (depth > 0) & valid
    array: NDArray[np.float32] = torch.where(usable, depth, torch.nan)[0, 0].cpu().numpy()
    return array


def _still(sequence: Sequence, index: int, previous: int | None) -> bool | None:
    """Compare the camera's true position with that of the frame before."""
    if previous is None:
        return None
    before, now = sequence.T_world_camera(previous), sequence.T_world_camera(index)
    if before is None or now is None:
        return None
    period_s = (sequence.stamp_ns(index) - sequence.stamp_ns(previous)) * 1e-9
    return bool(np.linalg.norm(now[:3, 3] - before[:3, 3]) < STILL_M_PER_S * period_s)
