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

"""What goes wrong around a robot: pauses, lost images, loops, kidnapping, a covered lens."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
import math

from mdepth_ros.training.datasets.synthetic import SyntheticSequenceView
from mdepth_ros.training.robustness.bench import Bench
from mdepth_ros.training.robustness.methods import METHODS
from mdepth_ros.training.robustness.scene_classes import open_world, SEEDS_PER_CLASS
from mdepth_ros.training.robustness.view import View, views_of
from mdepth_ros.training.robustness.view_scores import score_views, ViewScore
import numpy as np

# Frames before the event and after it.
BEFORE, AFTER = 15, 15
PAUSE_S, LOST_S, COVERED_S = 3.0, 1.0, 1.0
EVENT_CLASSES = ('forward', 'indoor', 'handheld')
# A world of another number, half a class on, is where the camera is kidnapped from.
ELSEWHERE = SEEDS_PER_CLASS // 2
# Views of a world, those of another one -> what the robot gets; the last AFTER are the same.
Script = Callable[[list[View], list[View]], list[View]]


@dataclass(frozen=True)
class EventRun:
    """
    How one method took one event in one world.

    ``errors`` are AbsRel of the frames from the event on, one every ``period_s``, and
    ``usual_errors`` of the same frames without it, NaN where there is no truth. ``jump`` is the
    largest unexplained change from the event on, ``usual_jump`` that without it; None where there
    is none to tell.
    """

    event: str
    method: str
    period_s: float
    errors: list[float]
    usual_errors: list[float]
    jump: float | None
    usual_jump: float | None


def pause(views: list[View], others: list[View]) -> list[View]:
    """Nothing comes for a while, in which the camera stands; then it goes on."""
    gap_ns = round(PAUSE_S * 1e9)
    return views[:BEFORE] + [replace(view, stamp_ns=view.stamp_ns + gap_ns)
                             for view in views[BEFORE:]]


def images_lost(views: list[View], others: list[View]) -> list[View]:
    """Lose the last images before, while the camera goes on."""
    return views[:BEFORE - _count(views, LOST_S)] + views[BEFORE:]


def bag_loop(views: list[View], others: list[View]) -> list[View]:
    """End a recording and start it again, its stamps with it."""
    return views[-AFTER:] + _put(views)


def kidnapped(views: list[View], others: list[View]) -> list[View]:
    """From one frame to the next the camera is in another world."""
    return others + _put(views)


def lens_covered(views: list[View], others: list[View]) -> list[View]:
    """Make the last frames before black."""
    dark = _count(views, COVERED_S)
    covered = [replace(view, rgb=np.zeros_like(view.rgb), truth=None)
               for view in views[BEFORE - dark:BEFORE]]
    return views[:BEFORE - dark] + covered + views[BEFORE:]


EVENTS: dict[str, Script] = {
    'pause': pause, 'images_lost': images_lost, 'bag_loop': bag_loop, 'kidnapped': kidnapped,
    'lens_covered': lens_covered}


def run_events(
    bench: Bench, name: str, number: int, events: Mapping[str, Script] = EVENTS
) -> list[EventRun]:
    """
    Play a world with each event, and once without any.

    :param bench: how; its number of frames does not matter.
    :param name: of the class.
    :param number: which of its worlds.
    :param events: what happens to the world's views and those of another one.
    :raises MdepthError: as the estimator does.
    """
    world = open_world(name, number, *bench.camera_size, BEFORE + AFTER)
    # The same camera elsewhere.
    elsewhere = (number + ELSEWHERE) % SEEDS_PER_CLASS
    other = SyntheticSequenceView(world.config, world.seed - number + elsewhere)
    views, others = list(views_of(world)), list(views_of(other, range(BEFORE)))
    runs = []
    for method in METHODS:
        undisturbed = score_views(bench.estimator(method), views)[-AFTER:]
        for event, script in events.items():
            scores = score_views(bench.estimator(method), script(views, others))[-AFTER:]
            runs.append(judge(event, method, scores, undisturbed))
    return runs


def judge(
    event: str, method: str, scores: list[ViewScore], undisturbed: list[ViewScore]
) -> EventRun:
    """
    Compare the frames after an event with the same ones without it.

    :param event: its name.
    :param method: the method's name.
    :param scores: of the frames from the event on, two or more.
    :param undisturbed: of the same frames without it.
    """
    period_s = (scores[-1].stamp_ns - scores[0].stamp_ns) / (len(scores) - 1) * 1e-9
    errors, usual_errors = (
        [math.nan if score.accuracy is None else score.accuracy.errors.multi.abs_rel
         for score in part] for part in (scores, undisturbed))
    jump, usual_jump = (max((score.jump for score in part if score.jump is not None), default=None)
                        for part in (scores, undisturbed))
    return EventRun(event, method, period_s, errors, usual_errors, jump, usual_jump)


def _count(views: list[View], seconds: float) -> int:
    """Return how many views they take, so many that one of those before the event is left."""
    return min(round(seconds * 1e9 / (views[1].stamp_ns - views[0].stamp_ns)), BEFORE - 1)


def _put(views: list[View]) -> list[View]:
    """Return the frames after an event to which the camera was carried."""
    return [replace(views[-AFTER], linked=False), *views[-AFTER + 1:]]
