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

from mdepth_ros.engine.epipolar import (
    epipolar_error,
    essential_motion,
    median_known,
    pixel_rays,
    triangulate,
)
from mdepth_ros.geometry.pose import motion_from_parameters
import numpy as np
import pytest
import torch

K = np.array([[200.0, 0, 159.5], [0, 200.0, 47.5], [0, 0, 1]])
MOTION = motion_from_parameters(torch.tensor([[0.01, 0.03, -0.02]], dtype=torch.float64),
                                torch.tensor([[0.1, -0.05, -0.8]], dtype=torch.float64))[0].numpy()


@pytest.fixture
def scene():
    """Pixels (4, N) of points between 3 and 30 m in both frames, and their depths."""
    random = np.random.default_rng(0)
    uv = random.uniform((0, 0), (319, 95), (80, 2)).T
    depth = random.uniform(3, 30, 80)
    points = pixel_rays(uv[None], K[None])[0] * depth
    seen = K @ (MOTION[:3, :3] @ points + MOTION[:3, 3:])
    return np.concatenate([uv, seen[:2] / seen[2:]]), depth


def degrees(a, b):
    return math.degrees(math.acos(min(1.0, a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))))


def test_rotation_and_direction_with_a_fifth_of_wrong_tracks(scene):
    tracks = scene[0].T.copy()
    tracks[::5, 2:] += np.random.default_rng(0).normal(0, 10, (16, 2))
    T = essential_motion(tracks, K, 1.0)
    assert degrees(T[:3, 3], MOTION[:3, 3]) < 1
    assert np.abs(T[:3, :3] - MOTION[:3, :3]).max() < 1e-3
    assert np.linalg.norm(T[:3, 3]) == pytest.approx(1)


def test_far_points_tell_direction_too():
    random = np.random.default_rng(0)
    rays = np.linalg.inv(K) @ np.vstack([random.uniform(0, 319, 200), random.uniform(0, 95, 200),
                                         np.ones(200)])
    points = rays * random.uniform(50, 120, 200)  # lengths of the translation
    seen = K @ (points + np.array([[1.0], [0], [0]]))
    tracks = np.vstack([K @ rays, seen / seen[2]])[[0, 1, 3, 4]].T
    tracks += random.normal(0, 0.02, tracks.shape)
    T = essential_motion(tracks, K, 1.0)
    assert degrees(T[:3, 3], np.array([1.0, 0, 0])) < 2


def test_noise_has_no_motion():
    random = np.random.default_rng(0)
    assert essential_motion(random.uniform(0, 95, (60, 4)), K, 1.0) is None


def test_the_true_motion_has_no_epipolar_error_whatever_the_depth(scene):
    pixels, _ = scene
    other = MOTION.copy()
    other[:3, 3] = 0.8, 0.0, 0.1
    errors = epipolar_error(np.stack([MOTION, other]), np.stack([pixels, pixels]),
                            np.stack([K, K]))
    assert errors[0] < 1e-9
    assert errors[1] > 0.5
    off = pixels.copy()
    off[3] += 2  # the lines are near vertical or horizontal: a part of it shows
    off[:, 0] = np.nan
    assert 0.1 < epipolar_error(MOTION[None], off[None], K[None]) < 2


def test_a_camera_that_stands_has_no_epipolar_error(scene):
    assert epipolar_error(np.eye(4)[None], scene[0][None], K[None]) == 0


def test_points_are_triangulated_in_units_of_the_translation(scene):
    pixels, depth = scene
    rays, source_rays = (pixel_rays(x[None], K[None])[0] for x in (pixels[:2], pixels[2:]))
    np.testing.assert_allclose(triangulate(MOTION, rays, source_rays), depth)
    doubled = MOTION.copy()
    doubled[:3, 3] *= 2
    np.testing.assert_allclose(triangulate(doubled, rays, source_rays), 2 * depth)
    doubled[:3, 3] *= -1
    assert (triangulate(doubled, rays, source_rays) < 0).all()


def test_the_median_is_of_what_is_known():
    values = np.array([[np.nan, 3.0, 1.0, 2.0, 4.0], [np.nan] * 5])
    np.testing.assert_equal(median_known(values), [2.0, np.nan])
