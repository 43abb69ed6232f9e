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

"""Views through the estimator, frame after frame, and what comes out at the truth's size."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import DepthEstimate, Frame, Mode
from mdepth_ros.training.evaluation.evaluate import depth_array
from mdepth_ros.training.evaluation.protocol import predicted_at
from mdepth_ros.training.robustness.view import View
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]


@dataclass(frozen=True)
class Played:
    """
    A view and the robot's depth of it, all at the size of the truth (or of the image).

    ``depth`` and ``single`` (H, W) [m], NaN where there is none; ``confidence`` (H, W) in [0, 1].
    ``source_stamp_ns`` is None where nothing was matched; ``source_changed`` says whether mode or
    source are others than for the view before.
    """

    view: View
    depth: Map
    single: Map
    confidence: Map
    mode: Mode
    source_stamp_ns: int | None
    source_changed: bool


def play(estimator: DepthEstimator, views: Iterable[View]) -> Iterator[Played]:
    """
    Push every view at its stamp.

    :param estimator: what the node runs, too; it is reset first.
    :param views: in the order in which they come.
    :return: what came out for each.
    :raises MdepthError: as :meth:`DepthEstimator.push`.
    """
    estimator.reset()
    before: DepthEstimate | None = None
    for view in views:
        estimate = estimator.push(Frame(view.rgb, view.camera, view.stamp_ns))
        H, W = view.rgb.shape[:2] if view.truth is None else view.truth.shape
        confidence = estimate.confidence[0, 0].cpu().numpy()
        yield Played(
            view=view,
            depth=predicted_at(depth_array(estimate.depth, estimate.valid), (H, W)),
            single=predicted_at(depth_array(estimate.single_depth, estimate.valid), (H, W)),
            confidence=np.asarray(cv2.resize(confidence, (W, H)), np.float32),
            mode=estimate.mode,
            source_stamp_ns=estimate.source_stamp_ns,
            source_changed=before is not None and _source_changed(before, estimate))
        before = estimate


def _source_changed(before: DepthEstimate, now: DepthEstimate) -> bool:
    """Whether the source is neither the same frame nor as many frames ago."""
    if before.source_stamp_ns is None or now.source_stamp_ns is None:
        return before.mode is not now.mode
    age_before = before.stamp_ns - before.source_stamp_ns
    age = now.stamp_ns - now.source_stamp_ns
    # Stamps are rounded, and cameras jitter.
    return (now.source_stamp_ns != before.source_stamp_ns
            and abs(age - age_before) > 0.1 * abs(age_before))
