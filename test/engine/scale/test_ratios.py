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

from mdepth_ros.engine.scale.ratios import Ratios, robust_location
from mdepth_ros.engine.scale.steps import without_outliers
import numpy as np
import pytest


def test_gross_errors_do_not_count():
    good = [0.49, 0.5, 0.51, 0.5, 0.48, 0.52, 0.5]
    assert robust_location([*good, 3.0, -2.0]).mean == pytest.approx(0.5, abs=2e-3)


def test_nearly_as_good_as_the_mean_on_gaussian_noise():
    x = np.random.default_rng(0).normal(0, 0.1, (400, 24))
    locations = [robust_location(row) for row in x]
    spread = np.std([location.mean for location in locations])
    assert spread < 1.1 * x.mean(axis=1).std()
    assert np.mean([location.error for location in locations]) == pytest.approx(spread, rel=0.1)


def test_equal_values_are_their_own_location():
    assert robust_location([0.3] * 5).mean == pytest.approx(0.3)
    assert robust_location([0.3]).mean == pytest.approx(0.3)


@pytest.mark.parametrize(('change', 'forgets'), [(0.2, True), (-0.2, True), (0.0, False)])
def test_what_came_before_a_change_is_forgotten(change, forgets):
    noise = np.random.default_rng(1).normal(0, 0.07, 360)
    ratios = Ratios()
    for value in noise[:300]:
        ratios.add(value)
    for value in noise[300:]:
        location = ratios.add(value + change)
    assert (len(ratios) < 300) == forgets
    assert location.mean == pytest.approx(change, abs=0.03)


def test_burst_of_errors_is_not_a_change():
    rng = np.random.default_rng(2)
    ratios = Ratios()
    for i in range(300):
        burst = 1.0 if i % 60 < 12 else 0.0
        location = ratios.add(rng.normal(0, 0.07) + burst)
    assert len(ratios) == 300
    assert location.mean == pytest.approx(0.0, abs=0.03)


def test_steps_apart_from_the_others_take_their_mean():
    velocities = np.tile([1.0, 0.2, 0.0], (10, 1)) + np.linspace(0, 0.05, 10)[:, None]
    wrong = velocities.copy()
    wrong[[2, 3, 7]] = [[40, 0, 0], [-38, 1, 0], [0, 0, 0]]
    corrected = without_outliers(wrong)
    np.testing.assert_allclose(corrected, velocities, atol=0.05)
    np.testing.assert_array_equal(corrected[[0, 1, 4]], velocities[[0, 1, 4]])
    np.testing.assert_array_equal(without_outliers(velocities), velocities)
