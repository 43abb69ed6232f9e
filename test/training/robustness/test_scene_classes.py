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

"""The scene classes show what their names say."""

from mdepth_ros.training.robustness.scene_classes import CLASSES, open_world
from mdepth_ros.training.scenes.held_out import (
    ABLATION,
    drawn_seed,
    EVALUATION,
    learned_seeds,
    ROBUSTNESS,
)
from mdepth_ros.training.scenes.sequence import build_world
from mdepth_ros.training.synthetic import SceneConfig
import numpy as np
import pytest

FRAMES = 21


def poses(world):
    """T_world_camera of all frames, without rendering any."""
    return build_world(world.config, world.seed).T_world_camera


def steps(world):
    """Motion of the camera from frame to frame in its own axes, (N - 1, 3) [m]."""
    T = poses(world)
    return np.einsum('nij,ni->nj', T[:-1, :3, :3], np.diff(T[:, :3, 3], axis=0))


def small(name, number=0, frames=FRAMES, **settings):
    return open_world(name, number, 64, 64, frames, **settings)


@pytest.mark.parametrize('number', [0, 1, 2, 3])
def test_sideways_the_world_passes_by(number):
    step = steps(small('sideways', number))
    assert (np.abs(step[:, 0]) > 3 * np.abs(step[:, 2])).mean() > 0.9
    # Looking out of the left side what is seen goes to the left, as the camera goes to the right.
    assert (np.sign(step[:, 0]) == (1 if number < 2 else -1)).all()


def test_forward_it_comes_nearer():
    step = steps(small('forward'))
    assert (step[:, 2] > 5 * np.abs(step[:, 0])).all()


@pytest.mark.parametrize('number', [0, 1])
def test_static_camera_has_no_parallax(number):
    world = small('static_camera', number, frames=3)
    assert np.abs(steps(world)).max() == 0
    assert (world.depth(0) == world.depth(2)).all()


def test_pure_rotation_turns_on_the_spot():
    world = small('pure_rotation')
    assert np.abs(steps(world)).max() == 0
    T = poses(world)
    assert np.trace(T[0, :3, :3].T @ T[-1, :3, :3]) < 2.99


@pytest.mark.parametrize('number', [0, 1])
def test_stop_and_go_does_both(number):
    world = small('stop_and_go', number)
    way = np.linalg.norm(steps(world), axis=1)
    assert (way == 0).sum() >= 5
    assert (way > 0.5 * way.max()).sum() >= 5
    T = poses(world)
    standing = int(np.flatnonzero(way == 0)[0])
    assert (T[standing] == T[standing + 1]).all()
    R = T[:, :3, :3]
    assert R @ R.transpose(0, 2, 1) == pytest.approx(np.tile(np.eye(3), (FRAMES, 1, 1)), abs=1e-12)
    # It does not leave the way that it would have gone without stops.
    path = poses(small('stop_and_go', number, stop_and_go=False))[:, :3, 3]
    distance = np.linalg.norm(T[:, None, :3, 3] - path, axis=2).min(axis=1)
    assert distance.max() <= 0.51 * np.linalg.norm(np.diff(path, axis=0), axis=1).max()


def test_moving_objects_move():
    assert small('moving_objects', frames=2).moving(1).any()
    assert not small('forward', frames=2).moving(1).any()


def test_textureless_is_plain():
    def gradient(world):
        return np.median(np.abs(np.diff(world.rgb(0).astype(int), axis=1)))

    plain, textured = (small('textureless', 0, frames=1, noise=0.0, textureless=switch)
                       for switch in (True, False))
    assert gradient(plain) < gradient(textured)


def test_every_world_is_another_and_none_was_trained_on():
    seeds = {open_world(name, n, 64, 64, 2).seed for name in CLASSES for n in (0, 1, 2, 999)}
    assert len(seeds) == 4 * len(CLASSES)
    learned = [learned_seeds(seed, rank) for seed in range(5) for rank in range(64)]
    # Seeds and worlds whose first draw is for measuring.
    drawn = {drawn_seed(*which) for which in ((51, 240), (442, 203), (496, 270))}
    for held_out in (seeds, ROBUSTNESS, EVALUATION, ABLATION):
        assert drawn.isdisjoint(held_out)
        assert not any(min(held_out) < part.stop and part.start <= max(held_out)
                       for part in learned)
    assert seeds <= set(ROBUSTNESS)


def test_a_world_that_would_be_another_class_is_refused():
    with pytest.raises(ValueError, match='got 1000'):
        open_world('indoor', 1000, 64, 64, 2)


def test_scene_settings_are_checked():
    with pytest.raises(ValueError, match='heading_deg must be in'):
        SceneConfig(heading_deg=200.0)
    with pytest.raises(ValueError, match='stop_and_go exclude each other'):
        SceneConfig(stop_and_go=True, static_camera=True)
