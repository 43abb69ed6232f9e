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

"""Exact points seen from several places: the motions come back, and better than one by one."""

from mdepth_ros.engine.bundle import adjust_motions
from mdepth_ros.engine.lifted_tracks import Lifted
from mdepth_ros.engine.resection import solve_motion
from mdepth_ros.engine.tracked_motion import adjust_together, solve_motions
from mdepth_ros.geometry.pose import motion_from_parameters
import numpy as np
import pytest
import torch

K = np.array([[300.0, 0, 207], [0, 310, 143], [0, 0, 1]])
N = 120


def scene(seed=0, sideways=True, degrees=3.0):
    """Points 3 to 10 m away, and the true motions to sources 10, 30 and 60 cm away."""
    random = np.random.default_rng(seed)
    seen = np.stack([random.uniform(0, 416, N), random.uniform(0, 288, N), np.ones(N)])
    points = np.linalg.inv(K) @ seen * random.uniform(3, 10, N)
    way = np.array([1.0, 0.1, 0.3]) if sideways else np.array([0.1, 0, 1.0])
    T = motion_from_parameters(
        torch.from_numpy(np.radians(degrees) * random.standard_normal((3, 3))),
        torch.from_numpy(np.outer([0.1, 0.3, 0.6], way / np.linalg.norm(way)))).numpy()
    image = K @ (T[:, :3, :3] @ points + T[:, :3, 3:])
    return points, image[:, :2] / image[:, 2:], T, random


def errors(T, truth):
    """Of rotation [deg], and of the translation's direction and length as a share of it."""
    turned = np.degrees(np.linalg.norm((T - truth)[:, :3, :3], axis=(1, 2)) / np.sqrt(2))
    way, true_way = T[:, :3, 3], truth[:, :3, 3]
    return turned, np.linalg.norm(way - true_way, axis=1) / np.linalg.norm(true_way, axis=1)


def nearly(T, seed=9):
    """Motions that are about right."""
    random = torch.Generator().manual_seed(seed)
    off = motion_from_parameters(0.003 * torch.randn(3, 3, generator=random),
                                 0.01 * torch.randn(3, 3, generator=random)).double().numpy()
    return off @ T


def nearest_errors(points, seen, T, seed):
    """Of the translation to the nearest source by rough depth: each source alone, and together."""
    here = np.broadcast_to((K @ points)[:2] / (K @ points)[2:], seen.shape)
    rough = points * np.exp(0.3 * np.sin(points[0] + seed))
    lifted = Lifted(np.concatenate([here, seen], axis=1),
                    *(np.broadcast_to(x, (3, *x.shape)) for x in (rough, K)))
    alone = solve_motions(lifted).T_source_target
    return [errors(motions, T)[1][0] for motions in (alone, adjust_together(lifted, alone))]


@pytest.mark.parametrize('sideways', [True, False])
def test_exact_points_give_the_exact_motions(sideways):
    points, pixels, T, _ = scene(sideways=sideways)
    start = nearly(T)
    before = start.copy()
    solved = adjust_motions(points, pixels, np.ones((3, N), bool), K, start)
    turned, moved = errors(solved, T)
    assert turned.max() < 0.01
    assert moved.max() < 0.01
    assert np.array_equal(start, before)


def test_they_have_the_scale_of_the_depths():
    points, pixels, T, _ = scene()
    solved = adjust_motions(1.2 * points, pixels, np.ones((3, N), bool), K, nearly(T))
    longer = T.copy()
    longer[:, :3, 3] *= 1.2
    assert errors(solved, longer)[1].max() < 0.02


def test_noise_and_rough_depths_disturb_it_less_than_one_source_at_a_time():
    gained = []
    for seed in range(20):
        points, pixels, T, random = scene(seed)
        noisy = pixels + 0.3 * random.standard_normal(pixels.shape)
        # Wrong alike where the picture is alike, as a network's depths are.
        rough = points * np.exp(0.3 * np.sin(points[0] + seed) + 0.1 * random.standard_normal(N))
        valid = np.ones((3, N), bool)
        alone = solve_motion(np.broadcast_to(rough, (3, 3, N)), noisy, valid,
                             np.broadcast_to(K, (3, 3, 3)))
        together = adjust_motions(rough, noisy, valid, K, alone)
        gained.append([errors(motions, T) for motions in (alone, together)])
    alone, together = np.mean(gained, axis=(0, 3))  # rotation and translation
    assert (together < 0.85 * alone).all()


def test_wrong_tracks_turn_nothing():
    points, pixels, T, random = scene()
    pixels[:, :, :20] = random.uniform(0, 288, (3, 2, 20))
    solved = adjust_motions(points, pixels, np.ones((3, N), bool), K, nearly(T))
    solved[:, :3, 3] *= np.linalg.norm(T[2, :3, 3]) / np.linalg.norm(solved[2, :3, 3])
    turned, moved = errors(solved, T)
    assert turned.max() < 0.02
    assert moved.max() < 0.02


def test_people_who_walk_by_do_not_bend_the_motions():
    """In the nearest source they have not come far, and agree; in the others they do not."""
    off = []
    for seed in range(10):
        points, _, T, random = scene(seed, degrees=0.5)
        walked = np.zeros((3, 3, N))
        walked[:, 0, :30] = [[0.05], [0.15], [0.3]]
        image = K @ (T[:, :3, :3] @ (points + walked) + T[:, :3, 3:])
        seen = image[:, :2] / image[:, 2:] + 0.1 * random.standard_normal((3, 2, N))
        off.append(nearest_errors(points, seen, T, seed))
    before, together = np.mean(off, axis=0)
    assert together < 0.5 * before


def test_where_few_agree_with_all_others_count_too():
    """Eight wrong tracks in each of the wider sources, never the same, of 24."""
    off = []
    for seed in range(20):
        points, pixels, T, random = scene(seed)
        points, pixels = points[:, :24], pixels[..., :24]
        seen = pixels + 0.3 * random.standard_normal(pixels.shape)
        seen[1, :, :8] += 40
        seen[2, :, 8:16] += 40
        off.append(nearest_errors(points, seen, T, seed))
    before, together = np.mean(off, axis=0)
    assert together < 0.8 * before


def test_dirt_on_the_lens_does_not_shorten_them():
    points, pixels, T, _ = scene(degrees=0)
    here = K @ points
    pixels[:, :, :40] = (here[:2] / here[2:])[:, :40]
    solved = adjust_motions(points, pixels, np.ones((3, N), bool), K, nearly(T))
    turned, moved = errors(solved, T)
    assert turned.max() < 0.02
    assert moved.max() < 0.02


def test_what_is_not_valid_has_no_influence():
    points, pixels, T, random = scene()
    valid = random.random((3, N)) < 0.6
    valid[:, :10] = False
    exact = adjust_motions(points, pixels, valid, K, nearly(T))
    assert errors(exact, T)[1].max() < 0.01
    pixels = np.where(valid[:, None], pixels, np.nan)
    points[:, ~valid.any(axis=0)] = np.nan
    np.testing.assert_array_equal(adjust_motions(points, pixels, valid, K, nearly(T)), exact)


def test_a_camera_that_only_turns_keeps_its_motions():
    points, _, T, random = scene()
    T[:, :3, 3] *= 1e-4
    image = K @ (T[:, :3, :3] @ points + T[:, :3, 3:])
    noisy = image[:, :2] / image[:, 2:] + 0.2 * random.standard_normal((3, 2, N))
    np.testing.assert_array_equal(adjust_motions(points, noisy, np.ones((3, N), bool), K, T), T)
    nothing = np.zeros((3, N), bool)
    np.testing.assert_array_equal(adjust_motions(points, noisy, nothing, K, T), T)
