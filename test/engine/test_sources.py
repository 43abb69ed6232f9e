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

"""Which past frames are matched with."""

from mdepth_ros.engine.backends.runner import Description
from mdepth_ros.engine.corners import search_image
from mdepth_ros.engine.frame_buffer import PastFrame
from mdepth_ros.engine.point_tracker import PointTracker, TrackedPoints
from mdepth_ros.engine.sources import (
    BEST_PARALLAX,
    choose_sources,
    find_sources,
    LEAST_OVERLAP,
    Source,
)
from mdepth_ros.engine.tracked_motion import FEWEST_TRACKS
from mdepth_ros.geometry.pose import invert_motion
from mdepth_ros.training.synthetic import render_sequence, SceneConfig
import numpy as np
import pytest
import torch

EMPTY = torch.zeros(1)


def past(stamp_ns, tracked, parallax=0.0):
    return PastFrame(Description(EMPTY, EMPTY, EMPTY), stamp_ns, tracked, parallax=parallax)


def source(stamp_ns, parallax):
    nothing = TrackedPoints(np.zeros(0, np.int64), np.zeros((0, 2), np.float32))
    return Source(past(stamp_ns, nothing), torch.eye(4)[None], parallax)


def chosen(sources, count=1):
    return [source.frame.stamp_ns for source in choose_sources(sources, count)]


def test_the_frame_with_the_best_parallax_is_taken():
    best = BEST_PARALLAX
    assert chosen([source(1, 4 * best), source(2, 1.1 * best), source(3, best / 3)]) == [2]
    assert chosen([source(1, 0.1 * best), source(2, 0.2 * best), source(3, 0.0)]) == [2]
    assert chosen([source(1, 8 * best), source(2, 7 * best)]) == [2]
    assert chosen([source(1, 1.4 * best), source(2, best / 1.4)]) == [2]  # rather too little
    assert chosen([source(1, 0.0), source(2, 0.0)]) == [2]  # the newest of equals


def test_more_of_them_come_in_order_of_use():
    best = BEST_PARALLAX
    sources = [source(1, 2 * best), source(2, 1.1 * best), source(3, best / 3),
               source(4, best / 5)]
    assert chosen(sources, 3) == [2, 1, 3]


def test_a_further_frame_that_tells_nothing_is_left_out():
    """It would be averaged in, and flatten what the best one tells."""
    best = BEST_PARALLAX
    assert chosen([source(1, best), source(2, 0.0)], 2) == [1]
    assert chosen([source(1, best), source(2, 0.3 * best)], 2) == [1, 2]
    assert chosen([source(1, 0.0), source(2, 0.0)], 2) == [2, 1]


@pytest.fixture(scope='module')
def street():
    config = SceneConfig('driving', 320, 128, frames=6, fps=20.0, moving_objects=False)
    return render_sequence(config, seed=4)


def searched(sequence, i):
    return search_image(sequence.images[i].permute(1, 2, 0).mul(255).round().byte().numpy())


def test_motions_of_all_frames_by_points_that_were_carried_along(street):
    tracker = PointTracker()
    tracked = [tracker.push(searched(street, i)) for i in range(6)]
    depth = street.depth[5:6].clamp(max=1000)
    # It expects 6, 5, ... 1 steps of parallax.
    frames = [past(i, tracked[i], (i + 1) * BEST_PARALLAX / 3) for i in range(5)]
    found = find_sources(frames, tracked[5], depth, street.K[None].float(), count=2)
    assert [source.frame.stamp_ns for source in found] == [2, 3, 4]
    T = street.T_world_camera.double()
    for source in found:
        truth = invert_motion(T[source.frame.stamp_ns]) @ T[5]
        solved = source.T_source_target[0].double()
        assert (solved[:3, 3] - truth[:3, 3]).norm() < 0.07 * truth[:3, 3].norm()
        assert (solved[:3, :3] - truth[:3, :3]).abs().max() < 4e-3
    parallax = [source.parallax for source in found]
    assert parallax == sorted(parallax, reverse=True)


def turned_wrongly(seed):
    """By how much a motion's rotation is wrong, found alone and with others; a rough depth."""
    sequence = render_sequence(SceneConfig('handheld', 320, 224, frames=5, fps=10.0), seed=seed)
    tracker = PointTracker()
    *before, now = (tracker.push(searched(sequence, i)) for i in range(5))
    frames = [past(i, tracked, i * BEST_PARALLAX / 3) for i, tracked in enumerate(before)]
    # Wrong as a network is: by a factor that goes up and down over the picture.
    wave = torch.linspace(0, 12, 320).sin() * torch.linspace(1, 9, 224).cos()[:, None]
    depth = sequence.depth[4:5].clamp(max=100) * (0.3 * wave).exp()
    truth = invert_motion(sequence.T_world_camera[1]) @ sequence.T_world_camera[4]
    errors = []
    for some in (frames[1:2], frames):
        found = find_sources(some, now, depth, sequence.K[None].float(), count=3)
        T = next(it.T_source_target for it in found if it.frame.stamp_ns == 1)
        errors.append(float((T[0, :3, :3] - truth[:3, :3]).norm()))
    return errors


def test_several_sources_tell_a_motion_better_than_one():
    alone, together = np.mean([turned_wrongly(seed) for seed in range(4)], axis=0)
    assert together < 0.7 * alone


def test_what_stands_in_the_last_picture_does_not_stop_the_camera(street):
    tracker = PointTracker()
    tracked = [tracker.push(searched(street, i)) for i in range(6)]
    # As what compression leaves on a bare road does: seven points of ten are where they were in
    # the frame before, and nowhere earlier.
    before, now = tracked[4], tracked[5]
    both, at, at_now = np.intersect1d(before.ids, now.ids, return_indices=True)
    stands = np.arange(len(both)) % 10 < 7
    points = before.points.copy()
    points[at[stands]] = now.points[at_now[stands]]
    frames = []
    for i, (ids, seen) in enumerate((it.ids, it.points) for it in tracked[:4]):
        moves = ~np.isin(ids, both[stands])
        frames.append(past(i, TrackedPoints(ids[moves], seen[moves]), (i + 1) * BEST_PARALLAX / 3))
    frames.append(past(4, TrackedPoints(before.ids, points), 5 * BEST_PARALLAX / 3))
    found = find_sources(frames, now, street.depth[5:6].clamp(max=1000),
                         street.K[None].float(), count=2)
    T = street.T_world_camera.double()
    truth = (invert_motion(T[4]) @ T[5])[:3, 3]
    assert found[-1].frame.stamp_ns == 4
    assert (found[-1].T_source_target[0, :3, 3] - truth).norm() < 0.1 * truth.norm()
    assert found[-1].parallax == pytest.approx(found[0].parallax / 3, rel=0.1)


def test_what_shows_little_of_the_same_is_no_source(street):
    tracked = PointTracker().push(searched(street, 5))
    few = int(LEAST_OVERLAP * len(tracked.ids)) - 1
    assert few > FEWEST_TRACKS
    some, more = (TrackedPoints(tracked.ids[:n], tracked.points[:n]) for n in (few, few + 2))
    args = tracked, street.depth[5:6].clamp(max=1000), street.K[None].float()
    assert find_sources([past(0, some)], *args) == []
    assert len(find_sources([past(0, more)], *args)) == 1


def test_frames_of_another_place_are_no_sources(street):
    tracker = PointTracker()
    before = tracker.push(searched(street, 0))
    tracker.reset()
    now = tracker.push(searched(street, 5))
    assert find_sources([past(0, before)], now, street.depth[5:6], street.K[None].float()) == []
    assert find_sources([], now, street.depth[5:6], street.K[None].float()) == []


def test_what_followed_points_drift_on_a_long_turn_is_no_parallax(street):
    # Turned by 25 degrees about y without moving; the points drift by a pixel on the way.
    c, s = np.cos(np.radians(25)), np.sin(np.radians(25))
    turn = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    K = street.K.double().numpy()
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(8, 200, 12.0), np.arange(8, 120, 12.0)))
    points = np.stack([x, y], axis=1).astype(np.float32)
    turned = (K @ turn @ np.linalg.inv(K) @ np.stack([x, y, np.ones_like(x)])).T
    turned = turned[:, :2] / turned[:, 2:] + np.stack([np.sign(y - 60), np.zeros_like(y)], 1)
    ids = np.arange(len(points))
    still = TrackedPoints(ids, points + np.float32(0.02))
    drifted = TrackedPoints(ids, turned.astype(np.float32))
    frames = [past(1, drifted, BEST_PARALLAX), past(2, still)]
    found = find_sources(frames, TrackedPoints(ids, points), street.depth[5:6].clamp(max=1000),
                         street.K[None].float())
    assert [source.frame.stamp_ns for source in found] == [2]
