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

"""Rendered cameras, whose motion and depth are known exactly."""

import functools
import math

from mdepth_ros.engine.corners import (
    CELL,
    find_corners,
    follow,
    search_image,
    working_image,
    working_size,
)
from mdepth_ros.engine.lifted_tracks import lift
from mdepth_ros.engine.tracked_motion import follow_corners, motion_from_tracks, solve_motions
from mdepth_ros.geometry.pose import invert_motion
from mdepth_ros.geometry.projection import sample
from mdepth_ros.training.synthetic import render_sequence, SceneConfig
import numpy as np
import pytest
import torch
import torch.nn.functional as F

WIDTH, HEIGHT = 320, 192
KINDS = ('driving', 'indoor', 'handheld')


@functools.cache
def render(kind, **options):
    """Three frames."""
    return render_sequence(SceneConfig(kind, WIDTH, HEIGHT, frames=3, **options), seed=2)


def pair(sequence, target=1, source=0):
    """Images, depth, K and the true T_source_target of two frames."""
    T = sequence.T_world_camera.double()
    depth = sequence.depth[target][None]
    return (sequence.images[target][None], sequence.images[source][None],
            torch.where(depth.isinf(), 1000.0, depth), sequence.K[None].float(),
            invert_motion(T[source]) @ T[target])


def tracks_between(target, source):
    """Of (1, 3, H, W) images in [0, 1]."""
    searched = (search_image(image[0].permute(1, 2, 0).mul(255).round().byte().numpy())
                for image in (target, source))
    return follow_corners(*searched, WIDTH, HEIGHT)


def tracked_motion(tracks, depth, K):
    motions = solve_motions(lift(torch.from_numpy(tracks)[None], depth, K))
    return motions._replace(T_source_target=torch.from_numpy(motions.T_source_target).float())


def angle(T, truth):
    """Between two rotations [deg]."""
    away = (T[:3, :3].double() - truth[:3, :3]).norm() / math.sqrt(8)
    return math.degrees(2 * math.asin(min(1.0, float(away))))


def direction_error(T, truth):
    """Between two translations [deg]."""
    a, b = T[:3, 3].double(), truth[:3, 3]
    return math.degrees(math.acos(float(((a @ b) / (a.norm() * b.norm())).clamp(-1, 1))))


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('backwards', [False, True])
def test_the_motion_of_a_rendered_camera(kind, backwards):
    target, source, depth, K, truth = pair(render(kind), *((0, 1) if backwards else (1, 0)))
    tracks = tracks_between(target, source)
    motion = tracked_motion(tracks, depth, K)
    T = motion.T_source_target[0]
    assert len(tracks) > 50
    assert motion.agreeing > 0.75
    assert angle(T, truth) < 0.1
    assert direction_error(T, truth) < 6
    assert float(T[:3, 3].norm() / truth[:3, 3].norm()) == pytest.approx(1, abs=0.06)


@functools.cache
def walkers():
    """Six pairs in which 5 to 12 % of the points are on people, and agree with each other."""
    found = []
    for seed in (2, 3, 4, 6, 7, 9):
        sequence = render_sequence(SceneConfig('handheld', WIDTH, HEIGHT, frames=3), seed=seed)
        target, source, *others = pair(sequence)
        tracks = tracks_between(target, source)
        x, y = tracks[:, :2].round().astype(int).T
        assert sequence.moving[1, 0, y, x].double().mean() > 0.045
        found.append((tracks, *others))
    return found


@pytest.mark.parametrize(('wrong', 'turned', 'aside'), [(0.0, 0.2, 11.0), (0.35, 0.21, 10.4)])
def test_a_person_who_walks_by_does_not_pull_the_camera_along(wrong, turned, aside):
    """By exact depth, and by one that is wrong in whole regions, as single-frame depth is."""
    generator = torch.Generator().manual_seed(0)
    angles, directions = [], []
    for tracks, depth, K, truth in 4 * walkers():
        noise = torch.randn(1, 1, 4, 6, generator=generator)
        noise = F.interpolate(noise, depth.shape[-2:], mode='bilinear')
        T = tracked_motion(tracks, depth * (wrong * noise).exp(), K).T_source_target[0]
        angles.append(angle(T, truth))
        directions.append(direction_error(T, truth))
    assert np.mean(angles) < turned
    assert np.mean(directions) < aside


def test_depth_of_another_scale_gives_a_motion_of_that_scale():
    target, source, depth, K, _ = pair(render('handheld'))
    tracks = tracks_between(target, source)
    metres, feet = (tracked_motion(tracks, scale * depth, K).T_source_target
                    for scale in (1.0, 3.28))
    torch.testing.assert_close(feet[:, :3, 3], 3.28 * metres[:, :3, 3], atol=1e-3, rtol=1e-2)
    torch.testing.assert_close(feet[:, :3, :3], metres[:, :3, :3], atol=1e-4, rtol=0)


def test_tracks_join_the_same_points():
    """True depth and motion carry a corner to where it was found."""
    target, source, depth, K, truth = pair(render('indoor', moving_objects=False))
    tracks = torch.from_numpy(tracks_between(target, source)).double().T  # (4, N)
    z = sample(depth.double(), tracks[None, :2, None])[0, 0]
    K = K[0].double()
    points = K.inverse() @ torch.cat([tracks[:2], torch.ones_like(tracks[:1])]) * z
    seen = K @ (truth[:3, :3] @ points + truth[:3, 3:])
    distance = (seen[:2] / seen[2:] - tracks[2:]).norm(dim=0)
    assert distance.median() < 0.15
    assert (distance < 1).double().mean() > 0.7


def test_a_standing_camera_does_not_move():
    target, source, depth, K, _ = pair(
        render('indoor', static_camera=True, moving_objects=False, noise=0.01))
    motion = tracked_motion(tracks_between(target, source), depth, K)
    assert motion.agreeing > 0.95
    assert motion.parallax < 0.1 / WIDTH
    assert angle(motion.T_source_target[0], torch.eye(4).double()) < 0.02
    assert motion.T_source_target[0, :3, 3].norm() < 0.005


def test_a_crowd_of_slow_points_does_not_hide_the_parallax():
    target, source, depth, K, _ = pair(render('driving', moving_objects=False))
    tracks = tracks_between(target, source)
    usual = tracked_motion(tracks, depth, K).parallax.item()
    slow = tracks[np.argsort(np.linalg.norm(tracks[:, 2:] - tracks[:, :2], axis=1))[:60]]
    crowded = np.vstack([tracks, *3 * [slow]])
    assert tracked_motion(crowded, depth, K).parallax.item() == pytest.approx(usual, rel=0.05)


def test_a_change_of_exposure_is_no_motion():
    target, source, depth, K, truth = pair(render('handheld'))
    T = tracked_motion(tracks_between(target, 0.6 * source), depth, K).T_source_target[0]
    assert angle(T, truth) < 0.1
    assert direction_error(T, truth) < 6


@pytest.mark.parametrize('grey', [0.1, 0.5])
def test_nothing_to_follow(grey):
    """Not from one noise into another one, nor from a textured image into a plain one."""
    _, source, depth, K, _ = pair(render('indoor'))
    random = torch.Generator().manual_seed(0)
    noises = [(grey + 0.02 * torch.randn(source.shape, generator=random)).clamp(0, 1)
              for _ in range(2)]
    tracks = tracks_between(*noises)
    assert len(tracks) < 20 or tracked_motion(tracks, depth, K).agreeing < 0.5
    assert len(tracks_between(source, torch.full_like(source, grey))) < 20


def test_tracks_of_a_batch_may_be_missing():
    target, source, depth, K, truth = pair(render('handheld'))
    found = torch.from_numpy(tracks_between(target, source))
    padded = torch.full((2, len(found) + 7, 4), torch.nan)
    padded[0, 7:] = found
    T = motion_from_tracks(padded, depth.expand(2, -1, -1, -1), K.expand(2, -1, -1))
    torch.testing.assert_close(T[:1], tracked_motion(found.numpy(), depth, K).T_source_target)
    assert torch.equal(T[1], torch.eye(4))
    assert angle(T[0], truth) < 0.1


def test_corners_keep_apart_and_stay_in_the_image():
    image = working_image(np.random.default_rng(0).integers(0, 256, (101, 163), np.uint8),
                          working_size(163, 101))
    corners = find_corners(image, np.zeros((0, 2), np.float32))
    assert len({(int(x // CELL), int(y // CELL)) for x, y in corners}) == len(corners) > 50
    assert ((corners >= 0) & (corners < (image.shape[1], image.shape[0]))).all()
    more = find_corners(image, corners[:30])
    assert {tuple(point) for point in more} == {tuple(point) for point in corners[30:]}


@pytest.mark.parametrize('shift', [7, 120])
def test_points_follow_a_shifted_image(shift):
    wide = np.random.default_rng(1).integers(0, 256, (12, 36), np.uint8)
    texture = np.kron(wide, np.ones((16, 16), np.uint8))
    before, after = texture[:, 200:520], texture[:, 200 - shift:520 - shift]
    corners = find_corners(before, np.zeros((0, 2), np.float32))
    ends, found = follow(before, after, corners)
    distance = np.linalg.norm(ends - corners - (shift, 0), axis=1)[found]
    assert (distance < 0.05).mean() > 0.95
    assert distance.max() < 0.5
    assert found.mean() > 0.8 * (1 - shift / 320)


@pytest.mark.parametrize(('width', 'height', 'size'), [
    (640, 192, (320, 96)), (64, 64, (320, 320)), (2000, 1, (320, 1))])
def test_the_working_image_keeps_the_aspect(width, height, size):
    assert working_size(width, height) == size
    assert working_image(np.zeros((height, width), np.uint8), size).shape == size[::-1]


@pytest.mark.parametrize('seed', [0, 1, 3])
def test_a_depth_that_knows_nothing_does_not_turn_the_motion(seed):
    """A plane at 4.5 m, for a street: what an untrained network sees."""
    sequence = render_sequence(
        SceneConfig('driving', WIDTH, HEIGHT, frames=3, moving_objects=False), seed=seed)
    target, source, depth, K, truth = pair(sequence)
    T = tracked_motion(tracks_between(target, source), torch.full_like(depth, 4.5),
                       K).T_source_target[0]
    assert direction_error(T, truth) < 5
    assert angle(T, truth) < 0.5
