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

"""Corners keep their numbers while they are followed."""

from mdepth_ros.engine.corners import working_image
from mdepth_ros.engine.point_tracker import (
    displacement,
    NO_POINTS,
    PointTracker,
    TrackedPoints,
    tracks_between,
)
import numpy as np
import pytest

STEP = 3  # [px]


def shifted_views(count):
    """Move a camera before a wall to the right: the picture goes left."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (30, 150), np.uint8)
    wall = np.kron(coarse, np.ones((8, 8), np.uint8))
    whole = working_image(wall, (600, 120))
    return [np.ascontiguousarray(whole[:, STEP * i:STEP * i + 320]) for i in range(count)]


def test_points_are_followed_over_many_frames():
    tracker = PointTracker()
    seen = [tracker.push(view) for view in shifted_views(12)]
    assert seen[0].ids.tolist() == list(range(len(seen[0].ids)))
    tracks = tracks_between(seen[0], seen[11])
    assert len(tracks) > 40
    off = tracks[:, 2:] - tracks[:, :2] - (-11 * STEP, 0)
    assert np.median(np.linalg.norm(off, axis=1)) < 0.3
    assert displacement(seen[0], seen[11]) == pytest.approx(11 * STEP / 320, rel=0.02)
    # What left the image is replaced by points with numbers of their own.
    assert len(seen[11].ids) == len(np.unique(seen[11].ids))
    assert seen[11].ids.max() > seen[0].ids.max()


def test_reset_uses_no_number_again():
    tracker = PointTracker()
    first, second = shifted_views(2)
    before = tracker.push(first)
    tracker.reset()
    after = tracker.push(second)
    assert len(tracks_between(before, after)) == 0
    assert displacement(before, after) == 1.0
    assert len(after.ids) > 40


def test_tracks_pair_equal_numbers():
    one = TrackedPoints(np.array([4, 7, 9]), np.array([[4, 0], [7, 0], [9, 0]], np.float32))
    two = TrackedPoints(np.array([4, 5, 9, 12]),
                        np.array([[4, 1], [5, 1], [9, 1], [12, 1]], np.float32))
    assert tracks_between(one, two).tolist() == [[4, 0, 4, 1], [9, 0, 9, 1]]
    for pair in (one, NO_POINTS), (NO_POINTS, one):
        assert tracks_between(*pair).shape == (0, 4)
