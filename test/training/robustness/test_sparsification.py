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

"""Sparsification against closed forms."""

from mdepth_ros.training.robustness.sparsification import (
    share_off,
    sparsification_curve,
    sparsify,
)
import numpy as np
import pytest

RNG = np.random.default_rng(0)


def test_by_hand():
    errors = np.array([0.3, 0.1, 0.4, 0.2])
    # Best order: means of the smallest; worst order: means of the largest.
    assert sparsification_curve(errors, -errors) == pytest.approx([0.1, 0.15, 0.2, 0.25])
    assert sparsification_curve(errors, errors) == pytest.approx([0.4, 0.35, 0.3, 0.25])
    worst = sparsify(errors, errors, coverage=0.5)
    assert worst.ause == pytest.approx(0.15)
    assert worst.ause_by_chance == pytest.approx(0.25 - 0.175)
    assert (worst.off_all, worst.off_kept) == (0.5, 1.0)


def test_the_errors_themselves_are_the_best_order():
    errors = RNG.exponential(0.2, 5000)
    best = sparsify(errors, 1 / (1 + errors))
    assert best.ause == pytest.approx(0.0, abs=1e-12)
    # Mean of the x best of an exponential distribution: 1 + (1 - x) ln(1 - x) / x.
    x = (np.arange(100_000) + 0.5) / 100_000
    area = 0.2 * np.mean(1 + (1 - x) * np.log(1 - x) / x)
    assert best.ause_by_chance == pytest.approx(0.2 - area, rel=0.05)


@pytest.mark.parametrize('share', [0.1, 0.4])
def test_errors_that_are_there_or_not(share):
    # The best curve is 0 until only errors are left to add: 1 - (1 - share) / x from there on.
    errors = (np.arange(20_000) < share * 20_000).astype(float)
    expected = -(1 - share) * np.log(1 - share)
    assert sparsify(errors, -errors).ause_by_chance == pytest.approx(expected, rel=1e-3)


def test_a_constant_confidence_is_worth_as_much_as_chance():
    errors = RNG.exponential(0.2, 1000)
    constant = sparsify(errors, np.full(1000, 0.7))
    assert constant.ause == pytest.approx(constant.ause_by_chance)
    assert constant.off_kept == pytest.approx(constant.off_all)
    random = [sparsify(errors, RNG.random(1000)).ause for _ in range(300)]
    assert np.mean(random) == pytest.approx(constant.ause_by_chance, rel=0.02)


def test_neither_the_order_of_pixels_nor_the_scale_of_confidence_counts():
    errors, confidence = RNG.exponential(0.2, 500), RNG.integers(0, 20, 500) / 20
    shuffled = RNG.permutation(500)
    other = sparsify(errors[shuffled], np.exp(confidence[shuffled]))
    assert other.ause == pytest.approx(sparsify(errors, confidence).ause)
    assert other.off_kept == pytest.approx(sparsify(errors, confidence).off_kept)


def test_share_off():
    errors = np.array([0.1, 0.5, 0.2, 0.3, 0.25])
    confidence = np.array([0.9, 0.1, 0.8, 0.2, 0.7])
    assert share_off(errors, confidence, 1.0) == pytest.approx(0.4)
    assert share_off(errors, confidence, 0.6) == 0.0
    assert share_off(errors, confidence, 0.8) == pytest.approx(0.25)
    # Two of one confidence, one of which is kept: half of what they are.
    assert share_off(np.array([0.1, 0.9]), np.array([0.5, 0.5]), 0.5) == 0.5


@pytest.mark.parametrize(('errors', 'confidence', 'said'), [
    (np.zeros(3), np.zeros(2), r'got \(3,\) and \(2,\)'),
    (np.zeros(0), np.zeros(0), 'N > 0'),
    (np.zeros(2), np.array([0.5, np.nan]), 'must be finite, got 1 others'),
])
def test_what_cannot_be_ordered(errors, confidence, said):
    with pytest.raises(ValueError, match=said):
        sparsification_curve(errors, confidence)


def test_coverage_is_a_share():
    with pytest.raises(ValueError, match='got 60'):
        share_off(np.zeros(3), np.zeros(3), 60)
