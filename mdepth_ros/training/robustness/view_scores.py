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

"""Everything that is measured on one view of one run."""

from collections.abc import Iterable
from dataclasses import dataclass

from mdepth_ros.engine.camera import resized_camera
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import Mode
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.evaluation.protocol import ALL, relative_error
from mdepth_ros.training.evaluation.scores import Comparison, score_depths
from mdepth_ros.training.robustness.play import play, Played
from mdepth_ros.training.robustness.sparsification import Sparsification, sparsify
from mdepth_ros.training.robustness.steadiness import motion_between, unexplained_change
from mdepth_ros.training.robustness.view import View
import numpy as np
from numpy.typing import NDArray

# Every so manieth pixel of a row and of a column is kept for what is pooled over images.
POOL_STRIDE = 4


@dataclass(frozen=True)
class Accuracy:
    """
    Errors of a view with truth, after each depth got the truth's median.

    ``errors`` are those of both depths over the same pixels, ``moving`` over moving objects
    alone, None where there are none. ``pool`` (2, N) holds relative error and confidence of some
    pixels of the multi-frame depth.
    """

    errors: Comparison
    moving: Comparison | None
    sparsification: Sparsification
    pool: NDArray[np.float32]


@dataclass(frozen=True)
class ViewScore:
    """
    What one view is worth.

    ``jump`` and ``single_jump`` are :func:`unexplained_change` since the view before, of the
    robot's and of the single-frame depth; what cannot be known is None.
    """

    stamp_ns: int
    mode: Mode
    source_changed: bool
    accuracy: Accuracy | None
    jump: float | None
    single_jump: float | None


def score_views(estimator: DepthEstimator, views: Iterable[View]) -> list[ViewScore]:
    """
    Play views and score each.

    :param estimator: reset first.
    :param views: in the order in which they come.
    :return: a score per view.
    :raises MdepthError: as :func:`play`; as :func:`score_depths`, naming the view's stamp.
    """
    scores: list[ViewScore] = []
    before: Played | None = None
    for now in play(estimator, views):
        try:
            accuracy = _accuracy(now)
        except MdepthError as error:
            raise MdepthError(f'view at {now.view.stamp_ns} ns: {error}') from error
        jump, single_jump = (None, None) if before is None else _jumps(before, now)
        scores.append(ViewScore(now.view.stamp_ns, now.mode, now.source_changed, accuracy, jump,
                                single_jump))
        before = now
    return scores


def _accuracy(played: Played) -> Accuracy | None:
    """Compare with the truth; None where there is none."""
    truth = played.view.truth
    scores = None if truth is None else score_depths(
        played.single, played.depth, truth, played.view.moving, ALL)
    if truth is None or scores is None:
        return None
    error = relative_error(played.depth * np.float32(scores.multi_scale), truth, ALL)
    valid = np.isfinite(error) & np.isfinite(played.single)
    some = (slice(None, None, POOL_STRIDE),) * 2
    return Accuracy(
        scores.scaled, scores.moving,
        sparsify(error[valid], played.confidence[valid]),
        np.stack([image[some][valid[some]] for image in (error, played.confidence)]))


def _jumps(before: Played, now: Played) -> tuple[float | None, float | None]:
    """Measure changes of the robot's and of the single-frame depth that nothing explains."""
    a, b = before.view, now.view
    if (not b.linked or a.truth is None or b.truth is None or a.T_world_camera is None
            or b.T_world_camera is None):
        return None, None
    H, W = b.truth.shape
    static = np.ones((H, W), dtype=bool) if b.moving is None else ~b.moving
    K = resized_camera(b.camera, W, H).K
    T_before_now = motion_between(b.T_world_camera, a.T_world_camera)
    jump, single_jump = (
        unexplained_change(depth, depth_before, b.truth, a.truth, static, K, T_before_now)
        for depth, depth_before in ((now.depth, before.depth), (now.single, before.single)))
    return jump, single_jump
