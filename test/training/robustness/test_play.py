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

"""Views through a real estimator, and what is measured on each."""

from dataclasses import replace

from mdepth_ros.engine.frames import Mode
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.evaluation.protocol import ALL
from mdepth_ros.training.evaluation.scores import score_depths
from mdepth_ros.training.robustness.bench import Bench
from mdepth_ros.training.robustness.play import play
from mdepth_ros.training.robustness.rates import RATES_HZ, run_rates
from mdepth_ros.training.robustness.scene_classes import open_world
from mdepth_ros.training.robustness.view import views_of
from mdepth_ros.training.robustness.view_scores import score_views
import numpy as np
import pytest


@pytest.fixture(scope='module')
def bench(tiny_weights):
    return Bench(tiny_weights, 64, 64, frames=2, device='cpu')


@pytest.fixture(scope='module')
def views(bench):
    return list(views_of(open_world('forward', 0, *bench.camera_size, 5)))


@pytest.fixture(scope='module')
def played(bench, views):
    return list(play(bench.estimator('published'), views))


def test_all_at_the_size_of_the_truth(played, views):
    for one, view in zip(played, views, strict=True):
        shapes = {image.shape for image in (one.depth, one.single, one.confidence)}
        assert shapes == {view.truth.shape}
        assert 0 <= one.confidence.min() <= one.confidence.max() <= 1


def test_a_source_of_the_same_age_is_no_change(played):
    assert [one.mode for one in played] == [Mode.SINGLE] + [Mode.MULTI] * 4
    assert [one.source_changed for one in played] == [False, True, False, False, False]
    assert played[2].source_stamp_ns == played[1].view.stamp_ns


def test_a_skipped_frame_is_a_change(bench, views):
    played = list(play(bench.estimator('published'), [*views[:3], views[4]]))
    assert played[-1].source_changed


def test_scores_are_those_of_the_evaluation(bench, views, played):
    scores = score_views(bench.estimator('published'), views)
    for score, one in zip(scores, played, strict=True):
        expected = score_depths(one.single, one.depth, one.view.truth, one.view.moving, ALL)
        assert score.accuracy.errors == expected.scaled
        errors, confidence = score.accuracy.pool
        assert errors.mean() == pytest.approx(expected.scaled.multi.abs_rel, rel=0.2)
        assert len(confidence) == pytest.approx(one.depth.size / 16, rel=0.3)
    assert scores[0].jump is None
    assert all(score.jump > 0 and score.single_jump > 0 for score in scores[1:])


def test_what_is_not_known_has_no_score(bench, views):
    dark = replace(views[1], truth=None)
    carried = replace(views[4], linked=False)
    scores = score_views(bench.estimator('ours'), [views[0], dark, *views[2:4], carried])
    assert [score.accuracy is None for score in scores] == [False, True, False, False, False]
    assert [score.jump is None for score in scores] == [True, True, True, False, True]


def test_errors_name_the_view(bench, views):
    small = replace(views[1], moving=np.zeros((8, 8), bool))
    said = rf'view at {small.stamp_ns} ns: moving must be .* got \(8, 8\)'
    with pytest.raises(MdepthError, match=said):
        score_views(bench.estimator('ours'), [views[0], small])


def test_methods_differ_only_in_the_multi_frame_depth(bench, views, played):
    ours = list(play(bench.estimator('ours'), views))
    for one, other in zip(ours, played, strict=True):
        assert np.array_equal(one.single, other.single)
    assert (ours[0].depth == ours[0].single).all()


def test_rates_score_the_same_frames(bench):
    run = run_rates(bench, 'indoor', 0)
    assert {tuple(rates) for rates in run.methods.values()} == {RATES_HZ}
    slow = open_world('indoor', 0, *bench.camera_size, 37, fps=60.0, exposure_change=False)
    shared = [view for i, view in enumerate(views_of(slow)) if i % 6 == 0]
    scores = score_views(bench.estimator('published'), shared)[-bench.frames:]
    assert run.methods['published'][10] == pytest.approx(
        np.mean([score.accuracy.errors.multi.abs_rel for score in scores]))
    assert run.single == pytest.approx(
        np.mean([score.accuracy.errors.single.abs_rel for score in scores]))
