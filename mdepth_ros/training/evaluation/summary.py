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

"""Means over frames: all of them, and those that tell the two depths apart."""

from collections.abc import Sequence
from dataclasses import dataclass

from mdepth_ros.engine.frames import Mode
from mdepth_ros.training.evaluation.metrics import DepthMetrics, mean_metrics
from mdepth_ros.training.evaluation.scores import Comparison, FrameScore
import numpy as np


@dataclass(frozen=True)
class Row:
    """
    Means over ``frames`` frames, each with the same weight.

    The multi-frame depth wins, by AbsRel, on ``wins`` of the ``matched`` frames, those that had
    an earlier one; on the others both depths are the same.
    """

    frames: int
    matched: int
    wins: int
    single: DepthMetrics
    multi: DepthMetrics


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over frames."""

    mean: float
    std: float


@dataclass(frozen=True)
class Latency:
    """From image to depth [ms]."""

    median_ms: float
    p95_ms: float


@dataclass(frozen=True)
class Evaluation:
    """
    What a run says about a model.

    ``rows`` are median-scaled means by name, ``all`` first; those of which there is no frame are
    missing, and without any truth there are none. ``published`` is ``all`` in metres as they came.
    The scales are median(truth) / median(depth). ``matched`` of ``frames`` were matched with an
    earlier one.
    """

    per_frame: tuple[FrameScore, ...]
    rows: dict[str, Row]
    published: Row | None
    single_scale: Spread | None
    multi_scale: Spread | None
    coverage: float | None
    latency: Latency

    @property
    def frames(self) -> int:
        """Frames that have a depth."""
        return len(self.per_frame)

    @property
    def matched(self) -> int:
        """Frames that were matched with an earlier one."""
        return sum(frame.mode is Mode.MULTI for frame in self.per_frame)


def summarise(per_frame: Sequence[FrameScore]) -> Evaluation:
    """
    Average over frames.

    :param per_frame: one or more frames.
    :return: the means.
    :raises ValueError: if there is no frame.
    """
    if not per_frame:
        raise ValueError('per_frame must hold at least one frame, got none')
    scored = [(frame, frame.scores) for frame in per_frame if frame.scores is not None]
    scaled = [(frame, scores.scaled) for frame, scores in scored]
    rows = {
        'all': _row(scaled),
        'matched': _row([pair for pair in scaled if pair[0].mode is Mode.MULTI]),
        'moving_objects': _row([(frame, scores.moving) for frame, scores in scored
                                if scores.moving is not None]),
        'static_camera': _row([pair for pair in scaled if pair[0].still]),
    }
    latencies = [frame.latency_ms for frame in per_frame]
    values = [scores for _, scores in scored]
    return Evaluation(
        per_frame=tuple(per_frame),
        rows={name: row for name, row in rows.items() if row is not None},
        published=_row([(frame, scores.published) for frame, scores in scored]),
        single_scale=_spread([scores.single_scale for scores in values]),
        multi_scale=_spread([scores.multi_scale for scores in values]),
        coverage=float(np.mean([scores.coverage for scores in values])) if values else None,
        latency=Latency(float(np.median(latencies)), float(np.percentile(latencies, 95))),
    )


def _row(pairs: Sequence[tuple[FrameScore, Comparison]]) -> Row | None:
    """Average some frames' errors; None if there is no frame."""
    if not pairs:
        return None
    matched = [both for frame, both in pairs if frame.mode is Mode.MULTI]
    return Row(len(pairs), len(matched), sum(both.multi_wins for both in matched),
               mean_metrics([both.single for _, both in pairs]),
               mean_metrics([both.multi for _, both in pairs]))


def _spread(values: Sequence[float]) -> Spread | None:
    """Mean and standard deviation; None of nothing."""
    return Spread(float(np.mean(values)), float(np.std(values))) if values else None
