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

"""Single-frame and multi-frame depth of one frame against its truth, on the same pixels."""

from dataclasses import dataclass

from mdepth_ros.engine.frames import Mode
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.datasets.sequence import DataError
from mdepth_ros.training.evaluation.metrics import depth_metrics, DepthMetrics, median_ratio
from mdepth_ros.training.evaluation.protocol import predicted_at, Protocol, scored_pixels
import numpy as np
from numpy.typing import NDArray

# Fewer pixels of moving objects say nothing about a frame.
FEWEST_MOVING = 50


@dataclass(frozen=True)
class Comparison:
    """Errors of both depths over the same pixels."""

    single: DepthMetrics
    multi: DepthMetrics

    @property
    def multi_wins(self) -> bool:
        """Whether the multi-frame depth has the smaller AbsRel."""
        return self.multi.abs_rel < self.single.abs_rel


@dataclass(frozen=True)
class Scores:
    """
    All errors of one frame.

    ``scaled`` after each depth got the truth's median, ``published`` in metres as the robot gets
    them. ``moving`` is ``scaled`` over moving objects alone; None where there are too few of
    their pixels, or nobody knows. ``single_scale`` and ``multi_scale`` are median(truth) /
    median(depth), ``coverage`` the share of the scored pixels that have a depth.
    """

    scaled: Comparison
    published: Comparison
    moving: Comparison | None
    single_scale: float
    multi_scale: float
    coverage: float


@dataclass(frozen=True)
class FrameScore:
    """
    One frame: which one, how its depth came about, and its errors.

    ``still`` says whether the camera was slower than 0.1 m/s since the frame before, None where
    poses are not known. ``latency_ms`` is from image to depth. ``scores`` is None where there is
    no truth.
    """

    sequence: str
    index: int
    stamp_ns: int
    mode: Mode
    still: bool | None
    latency_ms: float
    scores: Scores | None


def score_depths(
    single: NDArray[np.float32], multi: NDArray[np.float32], truth: NDArray[np.float32],
    moving: NDArray[np.bool_] | None, protocol: Protocol,
) -> Scores | None:
    """
    Score one frame.

    :param single: (h, w) single-frame depth [m]; NaN where there is none.
    :param multi: (h, w) multi-frame depth [m]; NaN where there is none.
    :param truth: (H, W) true depth [m]; NaN unknown, +Inf sky.
    :param moving: (H, W) what moves in the world; None where it is not known.
    :param protocol: which pixels count.
    :return: the errors; None if no pixel of the truth counts.
    :raises DataError: if ``moving`` has another shape than ``truth``.
    :raises MdepthError: if no pixel that counts has both depths.
    """
    # Data sets make the mask apart from the depth.
    if moving is not None and moving.shape != truth.shape:
        raise DataError(f'moving must be {truth.shape} like depth, got {moving.shape}')
    counted = scored_pixels(truth, protocol)
    if not counted.any():
        return None
    single, multi = predicted_at(single, truth.shape), predicted_at(multi, truth.shape)
    valid = counted & np.isfinite(single) & np.isfinite(multi)
    if not valid.any():
        raise MdepthError(f'none of {counted.sum()} pixels with truth has a depth: '
                          f'the weights give {np.isfinite(single).sum()} single-frame and '
                          f'{np.isfinite(multi).sum()} multi-frame depths')
    single_scale = median_ratio(single, truth, valid)
    multi_scale = median_ratio(multi, truth, valid)

    def compare(factors: tuple[float, float], pixels: NDArray[np.bool_]) -> Comparison:
        return Comparison(*(
            depth_metrics(np.clip(depth * factor, *protocol.clamp), truth, pixels)
            for depth, factor in zip((single, multi), factors)))

    objects = None if moving is None else valid & moving
    return Scores(
        scaled=compare((single_scale, multi_scale), valid),
        published=compare((1.0, 1.0), valid),
        # With the whole frame's scale: a depth that is right but for the objects must show it.
        moving=(None if objects is None or objects.sum() < FEWEST_MOVING
                else compare((single_scale, multi_scale), objects)),
        single_scale=single_scale,
        multi_scale=multi_scale,
        coverage=float(valid.sum() / counted.sum()),
    )
