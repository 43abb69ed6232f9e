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

from collections import defaultdict

from mdepth_ros.engine.fused_cloud import FORGET_AFTER, FusedCloud
from mdepth_ros.errors import MdepthError
import numpy as np
import pytest

CELL = 0.5


def frames(count):
    """Points before cameras that turn and walk."""
    rng = np.random.default_rng(3)
    for index in range(count):
        angle = 0.3 * index
        T = np.eye(4)
        T[:3, :3] = [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0],
                     [-np.sin(angle), 0, np.cos(angle)]]
        T[:3, 3] = rng.normal(0, 1, 3)
        points = rng.uniform([-2, -2, 0.5], [2, 2, 4], (300, 3)).astype(np.float32)
        yield points, rng.integers(0, 256, (300, 3), dtype=np.uint8), T


def one_by_one(views):
    """Do the same in plain Python: by cell its (weight, point, colour) each, and its frames."""
    cells, seen = defaultdict(list), defaultdict(set)
    for number, (points, rgb, T) in enumerate(views):
        for point, colour in zip(points.astype(np.float64), rgb):
            place = T[:3, :3] @ point + T[:3, 3]
            cell = tuple(np.floor(place / CELL).astype(int))
            cells[cell].append((1 / point[2] ** 2, place, colour))
            seen[cell].add(number)
    return cells, seen


@pytest.mark.parametrize('min_frames', [1, 2, 3])
def test_the_means_of_each_cell(min_frames):
    views = list(frames(4))
    fused = FusedCloud(CELL, min_frames)
    for view in views:
        fused.add(*view)
    points, rgb = fused.cloud()
    cells, seen = one_by_one(views)
    expected = sorted(
        tuple(np.average([place for _, place, _ in inside], axis=0,
                         weights=[weight for weight, _, _ in inside]).tolist()
              + np.average([colour for _, _, colour in inside], axis=0,
                           weights=[weight for weight, _, _ in inside]).tolist())
        for cell, inside in cells.items() if len(seen[cell]) >= min_frames)
    assert 0 < len(points) == len(expected)
    order = np.lexsort(points.T[::-1])
    np.testing.assert_allclose(points[order], np.array(expected)[:, :3], atol=1e-5)
    np.testing.assert_allclose(rgb[order].astype(float), np.array(expected)[:, 3:], atol=0.501)


@pytest.mark.parametrize('min_frames', [1, 3])
def test_frames_may_be_merged_one_by_one_or_all_at_once(min_frames):
    asked, not_asked = FusedCloud(CELL, min_frames), FusedCloud(CELL, min_frames)
    for view in frames(40):
        not_asked.add(*view)
        asked.add(*view)
        asked.cloud()  # merges
    for a, b in zip(asked.cloud(), not_asked.cloud()):
        np.testing.assert_array_equal(a, b)


def test_the_same_view_twice_changes_nothing():
    view = next(frames(1))
    once, twice = FusedCloud(CELL), FusedCloud(CELL, min_frames=2)
    once.add(*view)
    for _ in range(2):
        twice.add(*view)
    for a, b in zip(once.cloud(), twice.cloud()):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_fewer_frames_than_are_asked_for_are_enough():
    fused = FusedCloud(CELL, min_frames=3)
    fused.add(*next(frames(1)))
    assert len(fused.cloud()[0])


def test_what_few_frames_saw_is_forgotten_once_the_camera_has_gone_on():
    wall = np.ones((1, 3), np.float32), np.zeros((1, 3), np.uint8)
    away = np.eye(4)
    fused = FusedCloud(CELL, min_frames=3)
    for number in range(500):
        away[0, 3] = number  # another cell each time
        fused.add(*wall, np.eye(4) if number < 3 else away)
    assert len(fused._cells.number) + len(fused._waiting) < 3 * FORGET_AFTER
    assert len(fused.cloud()[0]) == 1


def test_no_points_are_a_cloud_too():
    fused = FusedCloud(CELL)
    fused.add(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8), np.eye(4))
    assert [len(values) for values in fused.cloud()] == [0, 0]


def test_a_grid_that_is_too_fine_is_named():
    far = np.eye(4)
    far[0, 3] = -6e5
    with pytest.raises(MdepthError, match=r'a grid of 0\.5 m ends 524288\.0 m'):
        FusedCloud(CELL).add(np.ones((1, 3), np.float32), np.zeros((1, 3), np.uint8), far)
