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

"""Motion without depth: exact points give the exact motion."""

import math

from mdepth_ros.engine.epipolar import epipolar_error, essential_motion, triangulate
from mdepth_ros.geometry.pose import motion_from_parameters
import numpy as np
import pytest
import torch

K = torch.tensor([[200.0, 0, 159.5], [0, 200.0, 47.5], [0, 0, 1]], dtype=torch.float64)
MOTION = motion_from_parameters(torch.tensor([[0.01, 0.03, -0.02]], dtype=torch.float64),
                                torch.tensor([[0.1, -0.05, -0.8]], dtype=torch.float64))[0]


@pytest.fixture
def scene():
    """Pixels (4, N) of points between 3 and 30 m in both frames, and their depths."""
    random = torch.Generator().manual_seed(0)
    uv = torch.rand(2, 80, generator=random, dtype=torch.float64) * torch.tensor([[319.0], [95.0]])
    depth = 3 + 27 * torch.rand(80, generator=random, dtype=torch.float64)
    points = torch.linalg.inv(K) @ torch.cat([uv, torch.ones_like(uv[:1])]) * depth
    seen = K @ (MOTION[:3, :3] @ points + MOTION[:3, 3:])
    return torch.cat([uv, seen[:2] / seen[2:]]), depth


def degrees(a, b):
    return math.degrees(math.acos(min(1.0, float(a @ b / (a.norm() * b.norm())))))


def test_rotation_and_direction_with_a_fifth_of_wrong_tracks(scene):
    tracks = scene[0].T.numpy().copy()
    tracks[::5, 2:] += np.random.default_rng(0).normal(0, 10, (16, 2))
    T = torch.from_numpy(essential_motion(tracks, K.numpy(), 1.0))
    assert degrees(T[:3, 3], MOTION[:3, 3]) < 1
    assert (T[:3, :3] - MOTION[:3, :3]).abs().max() < 1e-3
    assert float(T[:3, 3].norm()) == pytest.approx(1)


def test_far_points_tell_direction_too():
    random = np.random.default_rng(0)
    rays = np.linalg.inv(K.numpy()) @ np.vstack([random.uniform(0, 319, 200),
                                                 random.uniform(0, 95, 200), np.ones(200)])
    points = rays * random.uniform(50, 120, 200)  # lengths of the translation
    seen = K.numpy() @ (points + np.array([[1.0], [0], [0]]))
    tracks = np.vstack([K.numpy() @ rays, seen / seen[2]])[[0, 1, 3, 4]].T
    tracks += random.normal(0, 0.02, tracks.shape)
    T = torch.from_numpy(essential_motion(tracks, K.numpy(), 1.0))
    assert degrees(T[:3, 3], torch.tensor([1.0, 0, 0], dtype=torch.float64)) < 2


def test_noise_has_no_motion():
    random = np.random.default_rng(0)
    assert essential_motion(random.uniform(0, 95, (60, 4)), K.numpy(), 1.0) is None


def test_the_true_motion_has_no_epipolar_error_whatever_the_depth(scene):
    pixels, _ = scene
    other = MOTION.clone()
    other[:3, 3] = torch.tensor([0.8, 0.0, 0.1])
    errors = epipolar_error(torch.stack([MOTION, other]), pixels.expand(2, -1, -1),
                            K.expand(2, -1, -1))
    assert errors[0] < 1e-9
    assert errors[1] > 0.5
    off = pixels.clone()
    off[3] += 2  # the lines are near vertical or horizontal: a part of it shows
    assert 0.1 < epipolar_error(MOTION[None], off[None], K[None]) < 2


def test_points_are_triangulated_in_units_of_the_translation(scene):
    pixels, depth = scene
    one = torch.ones_like(pixels[:1])
    rays, source_rays = (torch.linalg.inv(K) @ torch.cat([x, one]) for x in (pixels[:2],
                                                                             pixels[2:]))
    torch.testing.assert_close(triangulate(MOTION, rays, source_rays), depth)
    doubled = MOTION.clone()
    doubled[:3, 3] *= 2
    torch.testing.assert_close(triangulate(doubled, rays, source_rays), 2 * depth)
    doubled[:3, 3] *= -1
    assert (triangulate(doubled, rays, source_rays) < 0).all()
