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

"""The same path filmed by a slow and by a fast camera, scored on the same frames."""

from dataclasses import dataclass, replace

from mdepth_ros.training.evaluation.scores import Comparison
from mdepth_ros.training.robustness.bench import Bench
from mdepth_ros.training.robustness.methods import METHODS
from mdepth_ros.training.robustness.runs import LEAD_FRAMES
from mdepth_ros.training.robustness.scene_classes import open_world
from mdepth_ros.training.robustness.view import views_of
from mdepth_ros.training.robustness.view_scores import score_views
import numpy as np

RENDERED_HZ = 60
RATES_HZ = (10, 30, 60)
# Classes whose paths are played.
RATE_CLASSES = ('forward', 'indoor')


@dataclass(frozen=True)
class RateRun:
    """AbsRel of each method at each rate [Hz], and of the single-frame depth, of one world."""

    name: str
    single: float
    methods: dict[str, dict[int, float]]


def run_rates(bench: Bench, name: str, number: int) -> RateRun:
    """
    Play a world at all rates.

    :param bench: how.
    :param name: of the class.
    :param number: which of its worlds.
    :raises MdepthError: as the estimator does.
    """
    slowest = RENDERED_HZ // min(RATES_HZ)
    count = LEAD_FRAMES + bench.frames
    world = open_world(name, number, *bench.camera_size, slowest * (count - 1) + 1,
                       fps=float(RENDERED_HZ), exposure_change=False)
    scored = range(slowest * LEAD_FRAMES, len(world), slowest)

    def errors(method: str, rate: int) -> list[Comparison]:
        """Play the world; without a truth a view is played, but not scored."""
        frames = range(0, len(world), RENDERED_HZ // rate)
        views = (view if i in scored else replace(view, truth=None)
                 for i, view in zip(frames, views_of(world, frames)))
        return [score.accuracy.errors for score in score_views(bench.estimator(method), views)
                if score.accuracy is not None]

    runs = {method: {rate: errors(method, rate) for rate in RATES_HZ} for method in METHODS}
    # A single-frame depth knows no rate: any run will do.
    *_, last = runs.values()
    single = [both.single.abs_rel for both in last[RATES_HZ[-1]]]
    return RateRun(name, float(np.mean(single)), {
        method: {rate: float(np.mean([both.multi.abs_rel for both in run]))
                 for rate, run in rates.items()} for method, rates in runs.items()})
