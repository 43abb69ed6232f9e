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

"""Measured motion against true depth and poses, and against moves of an image by hand."""

import cv2
from mdepth_ros.training.samples.parallax import image_motion, MotionTracker
from mdepth_ros.training.synthetic import render_sequence, SceneConfig, to_bytes
import numpy as np
import pytest


def texture(height=180, width=320, seed=0):
    """Blobs of all sizes: corners everywhere."""
    rng = np.random.default_rng(seed)
    image = sum(cv2.resize(rng.random((height // s, width // s)), (width, height),
                           interpolation=cv2.INTER_CUBIC) for s in (4, 10, 20))
    return cv2.normalize(image, None, 20, 235, cv2.NORM_MINMAX).astype(np.uint8)


def render(kind, seed, frames, **options):
    """Grey frames of a synthetic sequence, and the sequence."""
    size = {'width': 320, 'height': 96 if kind == 'driving' else 192}
    q = render_sequence(SceneConfig(kind=kind, frames=frames, **size, **options), seed)
    rgb = to_bytes(q.images).permute(0, 2, 3, 1).numpy()
    return [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in rgb], q


def true_motion(q, i, j):
    """Median flow, median flow less the true rotation, share of the pixels still in the image."""
    K, (H, W) = q.K.double().numpy(), q.depth.shape[2:]
    T = (np.linalg.inv(q.T_world_camera[j].double().numpy())
         @ q.T_world_camera[i].double().numpy())
    v, u = np.mgrid[0:H:3, 0:W:3]
    z = np.minimum(q.depth[i, 0].numpy()[::3, ::3].astype(float), 1e6).reshape(-1, 1)
    pixels = np.column_stack([u.ravel(), v.ravel()])
    turned = np.column_stack([pixels, np.ones(len(z))]) @ np.linalg.inv(K).T * z @ T[:3, :3].T
    moved = turned + T[:3, 3]
    there, rotated = ((p @ K.T)[:, :2] / np.maximum(p[:, 2:], 1e-6) for p in (moved, turned))
    seen = ((moved[:, 2] > 0.05) & (there >= 0).all(axis=1)
            & (there <= (W - 1, H - 1)).all(axis=1))
    flow = np.linalg.norm(there - pixels, axis=1)[seen]
    parallax = np.linalg.norm(there - rotated, axis=1)[seen]
    return np.median(flow) / W, np.median(parallax) / W, seen.mean()


@pytest.mark.parametrize(('kind', 'seed'), [('driving', 2), ('driving', 3), ('indoor', 1),
                                            ('indoor', 2), ('indoor', 3)])
def test_parallax_is_the_flow_that_the_translation_makes(kind, seed):
    grey, q = render(kind, seed, 2)
    displacement, parallax, share = true_motion(q, 0, 1)
    motion = image_motion(grey[0], grey[1], q.K.double().numpy())
    # Corners are not everywhere where pixels are, and rotation explains some of it.
    assert 0.4 * parallax < motion.parallax < 1.4 * parallax
    assert 0.5 * displacement < motion.displacement < 1.4 * displacement
    assert 0.6 * share < motion.tracked <= share + 0.1


@pytest.mark.parametrize('kind', ['driving', 'indoor', 'handheld'])
def test_a_turning_camera_sees_no_parallax(kind):
    grey, q = render(kind, 1, 5, pure_rotation=True)
    displacement, _, share = true_motion(q, 0, 4)
    tracker = MotionTracker(*grey[0].shape[::-1], q.K.double().numpy(), window=5)
    for frame in grey:
        tracker.push(frame)
    motion = tracker.motion(0, 4)
    assert displacement > 0.05
    assert motion.displacement == pytest.approx(displacement, rel=0.15)
    assert motion.parallax < 0.003
    assert motion.tracked > 0.7 * share
    # The same without the frames between: what the tracker is for.
    assert image_motion(grey[0], grey[4]).tracked < motion.tracked


@pytest.mark.parametrize('yaw', [0.0, 0.03])
def test_moving_objects_are_not_parallax(yaw):
    K = np.array([[230.0, 0, 159.5], [0, 230, 89.5], [0, 0, 1]])
    R = cv2.Rodrigues(np.array([0, yaw, 0]))[0]
    before, thing = texture(seed=1), texture(seed=2)
    after = cv2.warpPerspective(before, K @ R @ np.linalg.inv(K), (320, 180))
    before[40:130, 60:190] = thing[40:130, 60:190]  # a fifth of the image
    after[40:130, 72:202] = thing[40:130, 60:190]
    motion = image_motion(before, after, K)
    assert (motion.displacement > 0.02) == (yaw > 0)
    assert motion.parallax < 2e-3  # the thing moves by 3.8e-2
    assert motion.tracked > 0.6


@pytest.mark.parametrize('width', [96, 320, 1280])
def test_a_share_of_the_width_at_any_size(width):
    large = texture(720, 1280)
    height, step = width * 9 // 16, width // 32
    first = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    motion = image_motion(first[:, step:], first[:, :-step])
    assert motion.displacement == pytest.approx(1 / 31, rel=0.05)
    assert motion.tracked > 0.7


def test_exposure_is_not_motion():
    first = texture()
    brighter = np.clip(first * 1.4 - 10, 0, 255).astype(np.uint8)
    motion = image_motion(first, brighter)
    assert motion.displacement < 3e-4
    assert motion.tracked > 0.8


def test_another_place_is_not_tracked():
    assert image_motion(texture(seed=3), texture(seed=4)).tracked < 0.1


def test_an_empty_image_has_no_motion_rather_than_zero():
    motion = image_motion(np.full((90, 160), 40, np.uint8), np.full((90, 160), 40, np.uint8))
    assert np.isnan(motion.displacement)
    assert np.isnan(motion.parallax)
    assert motion.tracked == 0


def test_bad_input_names_both_sides():
    with pytest.raises(ValueError, match=r'\(90, 160\) uint8, got \(90, 161\) uint8'):
        image_motion(np.zeros((90, 160), np.uint8), np.zeros((90, 161), np.uint8))
    tracker = MotionTracker(160, 90)
    for _ in range(3):
        tracker.push(np.zeros((90, 160), np.uint8))
    with pytest.raises(IndexError, match='1 <= earlier < later < 3, got 0 and 2'):
        tracker.motion(0, 2)
