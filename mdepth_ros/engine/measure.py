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

"""How long frames take, from the image to depth and points in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
import time

from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import Frame, Mode
from mdepth_ros.engine.point_cloud import CloudFilter, navigation_points, organised_points
from mdepth_ros.engine.process_memory import resident_mb
from mdepth_ros.geometry.intrinsics import invert_intrinsics
import torch

WARM_UP_FRAMES = 5


@dataclass(frozen=True)
class Measurement:
    """
    Times of frames after warm-up.

    ``latencies_ms`` of the whole path, frame by frame; ``stages_ms`` of its stages, likewise;
    ``first_ms``, loading and the first frame; ``matched``, the share of frames that a past one
    was matched with; ``rss_mb``, the process's memory at the end.
    """

    latencies_ms: Sequence[float]
    stages_ms: Mapping[str, Sequence[float]]
    first_ms: float
    matched: float
    rss_mb: float
    backend: str
    size: str


def measure(
    estimator: DepthEstimator, frames: Sequence[Frame], started_s: float, period_s: float = 0.0
) -> Measurement:
    """
    Play frames.

    :param estimator: new.
    :param frames: more than ``WARM_UP_FRAMES`` of them.
    :param started_s: ``time.perf_counter()`` before the estimator was made [s].
    :param period_s: between frames [s], as a camera's; 0 is one after the other. A processor that
        rests in between takes longer.
    :return: what it took.
    """
    latencies: list[float] = []
    stages: dict[str, list[float]] = {}
    matched, first_ms, begin = 0, 0.0, time.perf_counter()
    for i, frame in enumerate(frames):
        start = _sleep_until(begin + i * period_s)
        estimate = estimator.push(frame)
        estimated = time.perf_counter()
        inv_K = invert_intrinsics(estimate.K)
        organised_points(estimate.depth, inv_K).cpu()
        navigation_points(estimate.depth, inv_K, torch.from_numpy(estimate.rgb).to(inv_K.device),
                          estimate.confidence, CloudFilter(2))
        estimate.depth.cpu()
        end = time.perf_counter()
        if i == 0:
            first_ms = 1e3 * (end - started_s)
        if i < WARM_UP_FRAMES:
            continue
        latencies.append(1e3 * (end - start))
        for name, value in asdict(estimate.timings).items():
            stages.setdefault(name.removesuffix('_ms'), []).append(value)
        stages.setdefault('cloud', []).append(1e3 * (end - estimated))
        matched += estimate.mode is Mode.MULTI
    height, width = estimate.depth.shape[-2:]
    return Measurement(latencies, stages, first_ms, matched / len(latencies), resident_mb(),
                       f'{estimator.backend} on {estimator.device}', f'{width}x{height}')


def _sleep_until(due_s: float) -> float:
    """Rest, if there is time; returns the time then [s]."""
    time.sleep(max(0.0, due_s - time.perf_counter()))
    return time.perf_counter()
