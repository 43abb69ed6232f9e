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

"""A short step is told by points that a wider one has triangulated."""

from mdepth_ros.engine.lifted_tracks import lift
from mdepth_ros.engine.step_motion import step_motion
from mdepth_ros.engine.tracked_motion import motion_from_tracks
from mdepth_ros.geometry.intrinsics import intrinsics_from_fov
from mdepth_ros.geometry.projection import backproject
import pytest
import torch

WIDTH, HEIGHT = 320, 96
K = intrinsics_from_fov(70.0, WIDTH, HEIGHT)[None]


def forward(way):
    T = torch.eye(4)[None]
    T[0, :3, 3] = torch.tensor([0.1, 0.0, 1.0]) * way
    return T


def scene(points=150, seed=0):
    """Tracks of a street whose depth is known: target, a step of 5 cm before, one of 1 m."""
    random = torch.Generator().manual_seed(seed)
    depth = 3 + 27 * torch.rand(1, 1, HEIGHT, WIDTH, generator=random)
    x = torch.randint(10, WIDTH - 10, (points,), generator=random)
    y = torch.randint(5, HEIGHT - 5, (points,), generator=random)
    here = torch.stack([x, y]).float()
    p = backproject(depth, K.inverse())[:, :, y, x]

    def seen(way):
        moved = K @ (p + forward(way)[:, :3, 3:])
        return (moved[:, :2] / moved[:, 2:])[0]

    tracks = torch.cat([here, seen(0.05), seen(1.0)]).T
    return tracks, depth, random


def step(tracks, T_wide_target, depth, K):
    T = step_motion(lift(tracks[None], depth, K), T_wide_target.double().numpy())
    return None if T is None else torch.from_numpy(T).float()


def length(T):
    return float(T[0, :3, 3].norm() / forward(0.05)[0, :3, 3].norm())


def test_the_step_is_found_at_the_scale_of_the_wide_one():
    tracks, depth, _ = scene()
    T = step(tracks, forward(1.0), depth, K)
    assert torch.allclose(T, forward(0.05), atol=2e-4)
    # Depth that is a third too near, and a wide motion that is as much too short.
    shorter = forward(1.0 / 1.3)
    assert length(step(tracks, shorter, depth / 1.3, K)) == pytest.approx(1 / 1.3, abs=0.01)


def test_wrong_depths_and_noise_disturb_it_less_than_a_solution_by_two_frames():
    errors = []
    for seed in range(10):
        tracks, depth, random = scene(seed=seed)
        noisy = tracks + 0.1 * torch.randn(tracks.shape, generator=random)
        single = depth * torch.exp(0.3 * torch.randn(depth.shape, generator=random))
        errors.append([abs(length(T) - 1) for T in (
            step(noisy, forward(1.0), single, K),
            motion_from_tracks(noisy[None, :, :4], single, K))])
    by_wide, by_two = torch.tensor(errors).mean(dim=0).tolist()
    assert by_wide < 0.05
    assert by_wide < by_two / 2


def test_what_stands_still_in_the_picture_does_not_shorten_it():
    tracks, depth, _ = scene()
    tracks[:90, 2:] = tracks[:90, :2].repeat(1, 2)
    assert length(motion_from_tracks(tracks[None, :, :4], depth, K)) < 0.5
    assert length(step(tracks, forward(1.0), depth, K)) == pytest.approx(1, abs=0.02)


def test_too_few_points_that_tell_a_depth_give_nothing():
    tracks, depth, _ = scene()
    assert step(tracks[:15], forward(1.0), depth, K) is None
    tracks[:, 4:] = tracks[:, :2]  # the wide step shows nothing either
    assert step(tracks, forward(1e-3), depth, K) is None
