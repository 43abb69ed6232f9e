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

from dataclasses import astuple
import math

from mdepth_ros.errors import MdepthError
from mdepth_ros.training.evaluation.metrics import (
    depth_metrics,
    DepthMetrics,
    mean_metrics,
    median_ratio,
)
from mdepth_ros.training.evaluation.protocol import (
    ALL,
    EIGEN,
    EIGEN_BENCHMARK,
    predicted_at,
    scored_pixels,
)
from mdepth_ros.training.evaluation.scores import score_depths
import numpy as np
import pytest

PERFECT = (0, 0, 0, 0, 1, 1, 1)


def row(*values):
    return np.array([values], np.float32)


def everywhere(image):
    return np.ones(image.shape, bool)


def test_worked_by_hand():
    # truth 2 4 8, prediction 1 4 12: |d - t| is 1 0 4, max(d/t, t/d) is 2 1 1.5.
    # AbsRel (1/2 + 0 + 4/8) / 3 = 1/3; SqRel (1/2 + 0 + 16/8) / 3 = 5/6; RMSE sqrt(17 / 3);
    # below 1.25 is one of three, below 1.5625 two, below 1.953 two.
    got = depth_metrics(row(1, 4, 12), row(2, 4, 8), everywhere(row(1, 4, 12)))
    assert astuple(got) == pytest.approx((
        1 / 3, 5 / 6, math.sqrt(17 / 3),
        math.sqrt((math.log(2) ** 2 + math.log(1.5) ** 2) / 3), 1 / 3, 2 / 3, 2 / 3))


def test_a_ratio_on_the_threshold_is_outside():
    got = depth_metrics(row(5, 4, 1), row(4, 5, 1), everywhere(row(1, 1, 1)))
    assert (got.d1, got.d2) == (1 / 3, 1)


def test_perfect_prediction():
    truth = np.random.default_rng(0).uniform(1, 50, (5, 7)).astype(np.float32)
    assert astuple(depth_metrics(truth, truth, everywhere(truth))) == PERFECT


def test_pixels_that_are_not_valid_do_not_count():
    d, t = row(1, 4, np.nan, 12, 3), row(2, 4, 5, 8, np.nan)
    valid = np.array([[True, True, False, True, False]])
    assert depth_metrics(d, t, valid) == depth_metrics(
        row(1, 4, 12), row(2, 4, 8), everywhere(row(0, 0, 0)))
    assert median_ratio(d, t, valid) == 1.0


def test_median_ratio_is_of_the_medians():
    # medians 8 and 2; the median of the ratios would be 2.
    assert median_ratio(row(1, 2, 30), row(2, 8, 9), everywhere(row(0, 0, 0))) == 4.0


@pytest.mark.parametrize(('d', 't', 'valid', 'text'), [
    (row(1, 2), row(1), everywhere(row(1)), r'one shape, got \(1, 2\), \(1, 1\)'),
    (row(1), row(1), ~everywhere(row(1)), 'got none'),
    (row(np.nan), row(1), everywhere(row(1)), 'prediction must be positive'),
    (row(1), row(np.inf), everywhere(row(1)), 'truth must be positive'),
])
def test_bad_input_is_named(d, t, valid, text):
    with pytest.raises(ValueError, match=text):
        depth_metrics(d, t, valid)


def test_images_weigh_the_same_in_the_mean():
    assert mean_metrics([DepthMetrics(*range(7)), DepthMetrics(*range(2, 9))]) == DepthMetrics(
        *range(1, 8))
    with pytest.raises(ValueError, match='got none'):
        mean_metrics([])


def test_garg_crop_of_a_kitti_image():
    # 375 rows: 0.40810811 is 153.04, 0.99189189 is 371.96; 1242 columns: 44.65 and 1197.35.
    rows, columns = np.nonzero(scored_pixels(np.full((375, 1242), 10, np.float32), EIGEN))
    assert (rows.min(), rows.max() + 1) == (153, 371)
    assert (columns.min(), columns.max() + 1) == (44, 1197)


def test_which_truth_counts():
    truth = row(np.nan, np.inf, 0, 0.05, 10, 79, 80, 85).repeat(9, axis=0)
    assert scored_pixels(truth, ALL)[0].tolist() == [False] * 4 + [True] * 2 + [False] * 2
    assert scored_pixels(truth, EIGEN_BENCHMARK)[0].tolist() == [False] * 3 + [True] * 5
    # Columns 0 to 6 of 8 and rows 3 to 7 of 9 are inside the crop; 1e-3 m is enough.
    assert scored_pixels(truth, EIGEN)[3].tolist() == [False] * 3 + [True] * 3 + [False] * 2
    assert not scored_pixels(truth, EIGEN)[[0, 2, 8]].any()


def test_predictions_are_resized_in_inverse_depth():
    # Inverse depths 1 and 0.5 at four pixels: 1, 0.875, 0.625, 0.5.
    got = predicted_at(row(1, 2), (1, 4))
    np.testing.assert_allclose(got, row(1, 8 / 7, 1.6, 2), rtol=1e-6)


def test_the_scale_of_a_prediction_does_not_matter_but_as_published():
    rng = np.random.default_rng(1)
    truth, noise = rng.uniform(2, 20, (2, 8, 12)).astype(np.float32)
    wrong = (truth + noise) / 2
    a = score_depths(truth * 4, wrong, truth, None, ALL)
    b = score_depths(truth, wrong * 2, truth, None, ALL)
    assert astuple(a.scaled.single) == pytest.approx(PERFECT, abs=1e-6)
    assert astuple(a.scaled.multi) == pytest.approx(astuple(b.scaled.multi))
    assert (a.single_scale, b.single_scale) == pytest.approx((0.25, 1))
    assert a.multi_scale == pytest.approx(2 * b.multi_scale)
    assert a.published.single.abs_rel == pytest.approx(3)
    assert not a.scaled.multi_wins
    assert score_depths(wrong, truth, truth, None, ALL).scaled.multi_wins


def test_predictions_are_clamped_after_they_are_scaled():
    # Scaled by 20 / 10 = 2, the last is 100 m, clamped to 80: |80 - 40| / 40 of three pixels.
    scores = score_depths(row(5, 10, 50), row(5, 10, 20), row(10, 20, 40), None, ALL)
    assert scores.single_scale == 2
    assert scores.scaled.single.abs_rel == pytest.approx(1 / 3)


def test_moving_objects_keep_the_scale_of_their_frame():
    # Everything is a quarter too near but the object, which is right: the frame's scale makes
    # its depth 4/3 of the truth.
    truth = np.full((20, 20), 4.0, np.float32)
    moving = np.zeros((20, 20), bool)
    moving[5:15, 5:12] = True
    depth = np.where(moving, 4.0, 3.0).astype(np.float32)
    scores = score_depths(depth, truth, truth, moving, ALL)
    assert scores.moving.single.abs_rel == pytest.approx(1 / 3)
    assert scores.moving.multi.abs_rel == 0
    moving[:] = False
    assert score_depths(depth, truth, truth, moving, ALL).moving is None


def test_frames_without_truth_have_no_score_and_bad_depth_is_an_error():
    ones, none = np.ones((4, 4), np.float32), np.full((4, 4), np.nan, np.float32)
    assert score_depths(ones, ones, none, None, ALL) is None
    assert score_depths(ones, ones, none + np.inf, None, ALL) is None
    with pytest.raises(MdepthError, match='none of 16 pixels with truth has a depth'):
        score_depths(none, ones, ones, None, ALL)
    half = ones.copy()
    half[:2] = np.nan
    assert score_depths(ones, half, ones, None, ALL).coverage == 0.5
