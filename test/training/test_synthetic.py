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

"""The synthetic scenes against hand-worked pixels, and the sequences against themselves."""

from dataclasses import replace

from mdepth_ros.geometry.intrinsics import invert_intrinsics
from mdepth_ros.geometry.pose import invert_motion
from mdepth_ros.geometry.projection import backproject as lift
from mdepth_ros.geometry.projection import inside, project, reproject, sample, transform, warp
from mdepth_ros.training.scenes.sequence import build_world
from mdepth_ros.training.scenes.shapes import clearance, place
from mdepth_ros.training.synthetic import (
    random_config,
    render_sequence,
    SceneConfig,
    stream_sequence,
)
import numpy as np
import pytest
import torch

KINDS = ('driving', 'indoor', 'handheld')


@pytest.fixture(scope='module', params=[(kind, seed) for kind in KINDS for seed in (1, 2)],
                ids=lambda p: f'{p[0]}{p[1]}')
def sequence(request):
    kind, seed = request.param
    # The second of each kind has other materials, light, clutter and mounting.
    config = SceneConfig(kind=kind, frames=4, moving_objects=True, varied=seed == 2)
    return render_sequence(config, seed)


def pair(q, target, source):
    """Arguments of the geometry functions for one target and one source frame."""
    T = invert_motion(q.T_world_camera[source][None].double()) @ (
        q.T_world_camera[target][None].double())
    return q.K[None], invert_intrinsics(q.K[None]), T.float()


def visible(q, target, source):
    """Target pixels that stand still and that the source sees: its own depth agrees."""
    K, inv_K, T = pair(q, target, source)
    depth = q.depth[target][None]
    known = torch.isfinite(depth)
    depth = torch.where(known, depth, torch.ones_like(depth))
    z = transform(T, lift(depth, inv_K))[:, 2:]
    pixels, in_front = reproject(depth, K, inv_K, T)
    H, W = depth.shape[2:]
    source_inverse = 1 / q.depth[source][None]  # bilinear in 1/z is exact on planes
    seen = (sample(source_inverse, pixels, 'border') * z - 1).abs()
    still = ~q.moving[target][None] & (sample(q.moving[source][None].float(), pixels) == 0)
    return known & in_front & inside(pixels, H, W) & still, seen, depth


def test_shapes_ranges_and_types(sequence):
    q = sequence
    assert q.images.shape == (4, 3, 128, 416)
    assert q.depth.shape == q.moving.shape == (4, 1, 128, 416)
    assert q.T_world_camera.shape == (4, 4, 4)
    assert q.K.shape == (3, 3)
    assert q.images.dtype == q.depth.dtype == torch.float32
    assert q.images.min() >= 0
    assert q.images.max() <= 1
    assert (q.depth > 0).all()
    assert not q.depth.isnan().any()
    assert q.moving.dtype == torch.bool
    assert q.stamps_ns.tolist() == [0, 100_000_000, 200_000_000, 300_000_000]
    R = q.T_world_camera[:, :3, :3]
    assert torch.allclose(R @ R.transpose(1, 2), torch.eye(3).expand(4, 3, 3), atol=1e-5)


def test_images_are_textured_and_exposed(sequence):
    grey = sequence.images.mean(dim=1)
    assert 0.1 < grey.mean() < 0.75
    assert grey.std() > 0.06
    assert grey.diff(dim=2).abs().mean() > 0.005


@pytest.mark.parametrize('kind', KINDS)
def test_ground_depth_by_hand(kind):
    # A level camera sees the ground of row v at z = h fy / (v - cy). Here the camera is not
    # level: the same formula with the plane's normal in the camera, z = h / (n . K^-1 (u, v, 1)).
    q = render_sequence(SceneConfig(kind=kind, frames=1), 5)
    fx, fy, cx, cy = q.K[0, 0], q.K[1, 1], q.K[0, 2], q.K[1, 2]
    down = -q.T_world_camera[0, 2, :3]  # world -z in the camera's axes
    h = q.T_world_camera[0, 2, 3]
    v, u = torch.meshgrid(torch.arange(128.0), torch.arange(416.0), indexing='ij')
    expected = h / (down[0] * (u - cx) / fx + down[1] * (v - cy) / fy + down[2])
    below = (expected > 0) & (expected < 200)
    depth = q.depth[0, 0]
    # No surface lies under the floor, and where nothing stands the floor itself is seen.
    assert (depth[below] <= expected[below] * (1 + 1e-4)).all()
    on_floor = below & ((depth / expected - 1).abs() < 1e-4)
    assert on_floor.float().mean() > 0.02


def test_level_camera_sees_the_ground_of_a_row():
    from mdepth_ros.training.scenes.cast import cast, make_rays
    from mdepth_ros.training.scenes.paths import poses

    zero = np.zeros(1)
    T = torch.from_numpy(poses(np.array([[0.0, 0.0, 1.5]]), zero, zero, zero)).float()
    K = torch.tensor([[100.0, 0, 10], [0, 120, 7], [0, 0, 1]])
    hits = cast(make_rays(T, K, 20, 21), [], torch.zeros(1, 0, 3), torch.zeros(1, 0),
                np.zeros((0, 4), int))
    assert torch.isinf(hits.depth[0, :8]).all()
    for v in range(8, 20):
        assert torch.allclose(hits.depth[0, v], torch.tensor(1.5 * 120 / (v - 7)), rtol=1e-5)


def test_solids_by_hand():
    from mdepth_ros.training.scenes.cast import cast, make_rays, screen_rectangles
    from mdepth_ros.training.scenes.paths import poses
    from mdepth_ros.training.scenes.shapes import no_tracks, Shape, Solid
    from mdepth_ros.training.scenes.textures import Texture

    zero = np.zeros(1)
    T = poses(np.array([[0.0, 0.0, 1.5]]), zero, zero, zero)
    K = np.array([[50.0, 0, 20], [0, 50, 20], [0, 0, 1]])
    cases = [(Shape.BOX, 0.0, 8.0), (Shape.BOX, np.pi / 4, 10 - 2 * 2**0.5),
             (Shape.CYLINDER, 0.0, 8.0), (Shape.ELLIPSOID, 0.3, 8.0)]
    for shape, yaw, expected in cases:
        solid = Solid(shape, (10.0, 0.0, 1.5), (2.0, 2.0, 1.0), (Texture.PLAIN,) * 3, yaw)
        centres, yaws = place([solid], no_tracks(1), np.arange(1))
        rectangle = screen_rectangles([solid], centres, yaws, T, K, 41, 41)
        offsets = torch.from_numpy(centres - T[:, None, :3, 3]).float()
        pose = torch.from_numpy(T).float()
        rays = make_rays(pose, torch.from_numpy(K).float(), 41, 41)
        depth = cast(rays, [solid], offsets, torch.from_numpy(yaws).float(), rectangle).depth[0]
        assert depth[20, 20].item() == pytest.approx(expected, rel=1e-5), shape
        # The rectangle hides nothing that a cast over the whole screen would show.
        everywhere = np.array([[0, 0, 41, 41]])
        full = cast(rays, [solid], offsets, torch.from_numpy(yaws).float(), everywhere)
        assert torch.equal(full.depth[0], depth)


def test_exact_depth_explains_the_next_frame(sequence):
    q = sequence
    for target, source in ((0, 1), (2, 1)):
        K, inv_K, T = pair(q, target, source)
        region, seen, depth = visible(q, target, source)
        region = region & (seen < 0.01)
        assert region.float().mean() > 0.4

        def error(depth, T, region=region, target=target, source=source, K=K, inv_K=inv_K):
            warped, valid = warp(q.images[source][None], depth, K, inv_K, T)
            keep = (region & valid).expand_as(warped)
            return (warped - q.images[target][None]).abs()[keep].mean().item()

        exact = error(depth, T)
        print(f'exact {exact:.4f} still {error(depth, torch.eye(4)[None]):.4f} '
              f'depth x 1.3 {error(1.3 * depth, T):.4f}')
        assert exact < 0.02
        assert exact < 0.5 * error(depth, torch.eye(4)[None])
        assert exact < 0.5 * error(depth, invert_motion(T))


def test_wrong_depth_explains_less():
    q = render_sequence(SceneConfig(kind='driving', frames=2, moving_objects=False), 3)
    K, inv_K, T = pair(q, 0, 1)
    region, seen, depth = visible(q, 0, 1)
    errors = []
    for scale in (1.0, 0.7, 1.4):
        warped, valid = warp(q.images[1][None], depth * scale, K, inv_K, T)
        keep = (region & valid & (seen < 0.01)).expand_as(warped)
        errors.append((warped - q.images[0][None]).abs()[keep].mean().item())
    assert errors[0] < 0.6 * min(errors[1:]), errors


def test_depths_of_two_frames_agree(sequence):
    region, seen, _ = visible(sequence, 0, 1)
    # What disagrees is hidden in the other frame or lies at an edge.
    agreeing = (seen[region] < 0.003).float().mean()
    assert agreeing > 0.75


def test_moving_is_exactly_what_moves():
    config = SceneConfig(kind='driving', frames=3, moving_objects=True)
    q, world = render_sequence(config, 1), build_world(config, 1)
    assert 0.005 < q.moving.float().mean() < 0.5
    centres, yaws = place(world.solids, world.tracks, np.arange(3))
    carried = np.array([solid.track >= 0 for solid in world.solids])
    shift = np.abs(np.diff(centres, axis=0)).max(axis=(0, 2))
    assert (shift[carried] > 1e-4).all()
    assert (shift[~carried] == 0).all()
    # A pixel is marked if and only if its world point lies on the surface of a carried solid.
    points = transform(q.T_world_camera, lift(
        torch.where(q.depth.isinf(), 1e4, q.depth), invert_intrinsics(q.K).expand(3, 3, 3)))
    frame = points[1].view(3, -1).T.double().numpy()
    movers = [solid for solid, c in zip(world.solids, carried) if c]
    where, turn = centres[1:2, carried], yaws[1:2, carried]
    distance = np.full(len(frame), np.inf)
    for i in range(len(movers)):
        shape = (len(frame), 1)
        distance = np.minimum(distance, clearance(
            movers[i:i + 1], np.broadcast_to(where[:, i:i + 1], (*shape, 3)),
            np.broadcast_to(turn[:, i:i + 1], shape), frame)[:, 0])
    marked = q.moving[1].flatten().numpy()
    assert (distance[marked] < 2e-3).all()
    assert (distance[~marked] > -2e-3).all()


def test_nothing_moves_without_moving_objects():
    q = render_sequence(SceneConfig(kind='driving', frames=2, moving_objects=False), 1)
    assert not q.moving.any()


@pytest.mark.parametrize('kind', KINDS)
def test_static_camera(kind):
    q = render_sequence(SceneConfig(kind=kind, frames=3, static_camera=True,
                                    moving_objects=False), 4)
    assert (q.T_world_camera == q.T_world_camera[:1]).all()
    assert torch.equal(q.depth[0], q.depth[2])
    assert (q.images - q.images[:1]).abs().max() < 1e-5


@pytest.mark.parametrize('kind', KINDS)
def test_pure_rotation(kind):
    q = render_sequence(SceneConfig(kind=kind, frames=4, pure_rotation=True), 4)
    assert (q.T_world_camera[:, :3, 3] == q.T_world_camera[:1, :3, 3]).all()
    assert (q.T_world_camera[1:, :3, :3] - q.T_world_camera[:-1, :3, :3]).abs().max() > 0.01


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('seed', [0, 1, 2])
def test_camera_stays_clear_of_everything(kind, seed):
    config = SceneConfig(kind=kind, frames=300)
    world = build_world(config, seed)
    frames = np.arange(299)
    camera = world.T_world_camera[:, :3, 3]
    for part in (0.0, 0.5):
        centres, yaws = (
            (1 - part) * a + part * b
            for a, b in zip(place(world.solids, world.tracks, frames),
                            place(world.solids, world.tracks, frames + 1)))
        between = (1 - part) * camera[:-1] + part * camera[1:]
        # Turning is not linear at +-pi; tracks that wrap are checked at their own frames only.
        steady = np.abs(np.diff(place(world.solids, world.tracks, np.arange(300))[1], axis=0)
                        ).max(axis=0) < 1
        assert clearance(world.solids, centres, yaws, between)[:, steady].min() > 0.15
    assert (camera[:, 2] > 0.2).all()


@pytest.mark.parametrize('kind', KINDS)
def test_speed_of_the_path(kind):
    config = SceneConfig(kind=kind, frames=200, fps=10.0)
    camera = build_world(config, 3).T_world_camera[:, :3, 3]
    speed = np.linalg.norm(np.diff(camera, axis=0), axis=1) * config.fps
    low, high = {'driving': (4.5, 16), 'indoor': (0.2, 1.6), 'handheld': (0.0, 2.0)}[kind]
    assert low <= speed.min()
    assert speed.max() <= high


def test_same_seed_same_frames():
    config = SceneConfig(kind='indoor', width=160, height=96, frames=3, noise=0.02)
    a, b = render_sequence(config, 7), render_sequence(config, 7)
    assert torch.equal(a.images, b.images)
    assert torch.equal(a.depth, b.depth)
    assert not torch.equal(a.images, render_sequence(config, 8).images)


def test_stream_gives_the_same_frames():
    config = SceneConfig(width=160, height=96, frames=5, noise=0.02, exposure_change=True)
    whole = render_sequence(config, 7)
    pieces = list(stream_sequence(config, 7, chunk=2))
    assert [len(piece.images) for piece in pieces] == [2, 2, 1]
    difference = (torch.cat([piece.images for piece in pieces]) - whole.images).abs()
    # A rounding in the last bit may put a pixel at an edge on the other side of it.
    assert (difference > 1e-3).float().mean() < 1e-3
    assert torch.equal(torch.cat([piece.stamps_ns for piece in pieces]), whole.stamps_ns)


def test_switches_do_what_they_say():
    base = SceneConfig(kind='indoor', width=160, height=96, frames=12)
    plain = render_sequence(base, 2)
    noisy = render_sequence(replace(base, noise=0.05), 2)
    difference = (noisy.images - plain.images)[(plain.images > 0.2) & (plain.images < 0.8)]
    assert difference.std().item() == pytest.approx(0.05, rel=0.05)
    gains = render_sequence(replace(base, exposure_change=True), 2).images.mean(dim=(1, 2, 3)) / (
        plain.images.mean(dim=(1, 2, 3)))
    assert gains.max() / gains.min() > 1.1
    bare = render_sequence(replace(base, textureless=True), 2)
    assert torch.equal(bare.depth, plain.depth)
    assert bare.images.diff(dim=3).abs().mean() < 0.6 * plain.images.diff(dim=3).abs().mean()


@pytest.mark.parametrize('angle', [40.0, 110.0])
def test_fields_of_view(angle):
    q = render_sequence(SceneConfig(width=97, height=63, horizontal_fov_deg=angle, frames=1), 0)
    assert q.images.shape == (1, 3, 63, 97)
    edge = torch.tensor([[[[np.tan(np.radians(angle / 2))]], [[0.0]], [[1.0]]]]).float()
    pixels, _ = project(edge, q.K[None])
    assert pixels[0, 0].item() == pytest.approx(96.5, abs=1e-3)


def test_all_problems_are_reported_at_once():
    with pytest.raises(ValueError, match=r'kind.*width.*horizontal_fov_deg.*frames.*exclude'):
        SceneConfig(kind='space', width=1, horizontal_fov_deg=10, frames=0, static_camera=True,
                    pure_rotation=True)


def test_random_configs_vary_and_repeat():
    configs = [random_config(seed) for seed in range(60)]
    assert configs == [random_config(seed) for seed in range(60)]
    assert {config.kind for config in configs} == set(KINDS)
    assert len({config.horizontal_fov_deg for config in configs}) == 60
    assert random_config(0, kind='handheld').kind == 'handheld'
