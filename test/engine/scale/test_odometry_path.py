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

from mdepth_ros.engine.scale.odometry_path import OdometryPath
import numpy as np
import pytest

MS = 1_000_000


def straight_path(hz=50, seconds=4.0, noise=0.0, order=None):
    path = OdometryPath()
    rng = np.random.default_rng(0)
    readings = [(round(i / hz * 1e9), np.array([i / hz, 0.0, 0.0]) + rng.normal(0, noise, 3))
                for i in range(round(hz * seconds) + 1)]
    for i in order(len(readings)) if order else range(len(readings)):
        path.add(*readings[i])
    return path


@pytest.mark.parametrize(('start_ms', 'end_ms'), [(500, 700), (513, 701), (1000, 1033)])
def test_interpolates_between_readings(start_ms, end_ms):
    way = straight_path().displacement(start_ms * MS, end_ms * MS)
    np.testing.assert_allclose(way, [(end_ms - start_ms) / 1000, 0, 0], atol=1e-9)


def test_readings_elsewhere_do_no_harm():
    path = straight_path(seconds=0)
    rng = np.random.default_rng(3)
    for i in range(1, 201):
        glitch = rng.normal(0, 5.0, 3) if rng.random() < 0.2 else 0.0
        path.add(round(i * 0.02e9), np.array([0.02 * i, 0.0, 0.0]) + glitch)
    ways = [np.linalg.norm(path.displacement(ms * MS, (ms + 200) * MS))
            for ms in range(400, 3400, 200)]
    assert np.median(np.abs(np.array(ways) - 0.2)) < 1e-6
    assert np.mean(np.abs(np.array(ways) - 0.2) < 0.01) > 0.8


def test_late_readings_go_where_they_belong_and_repeated_ones_are_left_out():
    shuffled = straight_path(noise=0.01, order=np.random.default_rng(0).permutation)
    twice = straight_path(noise=0.01, order=lambda n: np.repeat(np.arange(n), 2))
    plain = straight_path(noise=0.01)
    for path in (shuffled, twice):
        np.testing.assert_array_equal(path.displacement(500 * MS, 800 * MS),
                                      plain.displacement(500 * MS, 800 * MS))


@pytest.mark.parametrize(('start_ms', 'end_ms'), [(-10, 300), (3900, 4010), (5000, 6000)])
def test_nothing_is_said_outside_of_the_readings(start_ms, end_ms):
    assert straight_path().displacement(start_ms * MS, end_ms * MS) is None


def test_nothing_is_said_across_a_gap():
    path = straight_path(seconds=1.0)
    path.add(1700 * MS, np.array([1.7, 0.0, 0.0]))
    path.add(1720 * MS, np.array([1.72, 0.0, 0.0]))
    assert path.displacement(900 * MS, 1710 * MS) is None
    assert path.displacement(500 * MS, 800 * MS) is not None


def test_empty():
    path = OdometryPath()
    assert path.displacement(0, 1) is None
    assert not path.reaches(0)
    assert not path.jumps_back(0)


def test_remembers_some_seconds_only():
    path = straight_path(seconds=30.0)
    assert path.displacement(15_000 * MS, 15_200 * MS) is None
    assert path.displacement(25_000 * MS, 25_200 * MS) is not None
