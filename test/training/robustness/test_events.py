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

"""Scripted events: what the robot gets, and how recovery is judged."""

from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.frames import Mode
from mdepth_ros.training.evaluation.metrics import DepthMetrics
from mdepth_ros.training.evaluation.scores import Comparison
from mdepth_ros.training.robustness.bench import Bench
from mdepth_ros.training.robustness.events import (
    AFTER,
    bag_loop,
    BEFORE,
    ELSEWHERE,
    EVENTS,
    images_lost,
    judge,
    kidnapped,
    lens_covered,
    pause,
    run_events,
)
from mdepth_ros.training.robustness.methods import METHODS
from mdepth_ros.training.robustness.scene_classes import SEEDS_PER_CLASS
from mdepth_ros.training.robustness.sparsification import sparsify
from mdepth_ros.training.robustness.view import View
from mdepth_ros.training.robustness.view_scores import Accuracy, ViewScore
import numpy as np
import pytest

CAMERA = Camera.from_fov(8, 8, 90.0)


def view(number, shade):
    return View(np.full((8, 8, 3), shade + number, np.uint8), CAMERA, number * 100_000_000,
                np.ones((8, 8), np.float32), np.eye(4), None)


VIEWS = [view(n, 100) for n in range(BEFORE + AFTER)]
OTHERS = [view(n, 200) for n in range(BEFORE)]


def stamps(views):
    return [v.stamp_ns / 1e9 for v in views]


@pytest.mark.parametrize('script', EVENTS.values(), ids=EVENTS)
def test_the_same_images_come_after_each_event(script):
    played = script(VIEWS, OTHERS)
    assert [v.rgb[0, 0, 0] for v in played[-AFTER:]] == [v.rgb[0, 0, 0] for v in VIEWS[-AFTER:]]
    assert (np.diff(stamps(played)[-AFTER:]) > 0).all()


def test_pause():
    gaps = np.diff(stamps(pause(VIEWS, OTHERS)))
    assert gaps[BEFORE - 1] == pytest.approx(3.1)
    assert np.delete(gaps, BEFORE - 1) == pytest.approx(0.1)


def test_images_lost():
    played = images_lost(VIEWS, OTHERS)
    assert stamps(played) == stamps(VIEWS[:BEFORE - 10] + VIEWS[BEFORE:])
    assert all(v.linked for v in played)  # the camera went there


def test_bag_loop():
    played = bag_loop(VIEWS, OTHERS)
    assert stamps(played)[:AFTER] == stamps(played)[AFTER:]
    assert [v.linked for v in played].index(False) == AFTER


def test_kidnapped():
    played = kidnapped(VIEWS, OTHERS)
    assert [v.rgb[0, 0, 0] >= 200 for v in played] == [True] * BEFORE + [False] * AFTER
    assert np.diff(stamps(played)) == pytest.approx(0.1)
    assert [v.linked for v in played].index(False) == BEFORE


def test_lens_covered():
    played = lens_covered(VIEWS, OTHERS)
    black = [not v.rgb.any() for v in played]
    assert sum(black) == 10
    assert all(black[BEFORE - 10:BEFORE])
    # Nothing can be said about depth that nobody could see.
    assert [v.truth is None for v in played] == black
    assert stamps(played) == stamps(VIEWS)


def frame(number, abs_rel, jump=0.01):
    one, other = (DepthMetrics(value, 1, 1, 1, 1, 1, 1) for value in (0.3, abs_rel))
    accuracy = Accuracy(Comparison(one, other), None, sparsify(np.ones(2), np.ones(2)),
                        np.ones((2, 2), np.float32))
    return ViewScore(number * 100_000_000, Mode.MULTI, False, accuracy, jump, None)


def test_errors_with_and_without_the_event():
    usual = [frame(n, 0.2) for n in range(4)]
    scores = [frame(n, error) for n, error in enumerate([0.9, 0.2, 0.3, 0.21])]
    run = judge('pause', 'ours', scores, usual)
    assert run.errors == [0.9, 0.2, 0.3, 0.21]
    assert run.usual_errors == [0.2] * 4
    assert run.period_s == pytest.approx(0.1)


def test_largest_jump_beside_the_usual_one():
    usual = [frame(n, 0.2, jump) for n, jump in enumerate([0.01, 0.03, 0.02])]
    scores = [frame(n, 0.2, jump) for n, jump in enumerate([None, 0.08, 0.02])]
    run = judge('kidnapped', 'ours', scores, usual)
    assert (run.jump, run.usual_jump) == (0.08, 0.03)


def test_elsewhere_is_a_world_of_the_same_class():
    assert ELSEWHERE == 500  # the published numbers' worlds
    assert 0 < ELSEWHERE < SEEDS_PER_CLASS


def test_an_event_with_each_method(tiny_weights):
    runs = run_events(Bench(tiny_weights, 64, 64, device='cpu'), 'indoor', 0, {'pause': pause})
    assert [(run.method, run.event) for run in runs] == [(method, 'pause') for method in METHODS]
    assert all(len(run.errors) == len(run.usual_errors) == AFTER for run in runs)
    assert all(run.usual_jump > 0 for run in runs)
