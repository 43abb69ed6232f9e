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

import cv2
from mdepth_ros.engine.corners import CELL, full_size, working_image, WORKING_WIDTH
from mdepth_ros.engine.point_tracker import (
    displacement,
    MOST_PER_CELL,
    NO_POINTS,
    PointTracker,
    still_followed,
    TrackedPoints,
    tracks_between,
    tracks_into,
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


def test_points_that_are_still_followed_are_those_that_both_frames_have():
    tracker = PointTracker()
    views = shifted_views(12)
    seen = [NO_POINTS, *map(tracker.push, views[:8])]
    tracker.reset()
    seen += map(tracker.push, views[8:])
    counts = [still_followed(earlier, seen[8]) for earlier in seen[:9]]
    assert counts == [len(tracks_between(earlier, seen[8])) for earlier in seen[:9]]
    assert counts[0] == 0 < counts[1] < counts[7] < counts[8]
    assert still_followed(seen[8], seen[9]) == 0 < still_followed(seen[9], seen[10])


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


def test_points_do_not_pile_up_where_the_picture_shrinks():
    picture = cv2.GaussianBlur(np.random.default_rng(0).integers(
        0, 256, (1000, 1600), dtype=np.uint8), (0, 0), 3)
    tracker, size = PointTracker(), (WORKING_WIDTH, 200)
    for i in range(40):
        width, height = (round(side * 1.03 ** i) for side in (480, 300))
        part = picture[500 - height // 2:][:height, 800 - width // 2:][:, :width]
        tracked = tracker.push(working_image(part, size))
        counts = np.unique(tracked.points // CELL, axis=0, return_counts=True)[1]
        assert counts.max() <= MOST_PER_CELL
    assert counts.max() == MOST_PER_CELL  # more would be there
    assert (np.diff(tracked.ids) > 0).all()


def test_points_of_the_working_image_have_a_scale_across_and_one_down():
    # 416 x 288 is searched at 320 x 222, not 221.54: the corners of both images coincide.
    corners = np.array([[-0.5, -0.5, 319.5, 221.5]], np.float32)
    found = full_size(corners, (320, 222), (416, 288))
    np.testing.assert_allclose(found, [[-0.5, -0.5, 415.5, 287.5]], atol=1e-4)


def test_tracks_into_several_frames_keep_the_points_in_their_places():
    target = TrackedPoints(np.array([3, 4, 7]), np.array([[1, 2], [3, 4], [5, 6]], np.float32))
    one = TrackedPoints(np.array([1, 4]), np.array([[9, 9], [8, 7]], np.float32))
    tracks = tracks_into(target, [one, target])
    assert tracks[0, 1].tolist() == [3, 4, 8, 7]
    assert tracks[:, :, :2].tolist() == [target.points.tolist()] * 2
    assert np.isnan(tracks[0, [0, 2], 2:]).all()
    assert tracks[1, :, 2:].tolist() == target.points.tolist()
    assert tracks_into(target, []).shape == (0, 3, 4)
