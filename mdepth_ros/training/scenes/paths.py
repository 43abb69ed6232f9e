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

"""How the camera moves: poses T_world_camera from a position and three angles per frame."""

from mdepth_ros.engine.camera_path import BODY_OPTICAL
from mdepth_ros.training.scenes.config import SceneConfig
from mdepth_ros.training.scenes.world import Road
import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]
STOP_PERIOD_S = 2.0  # of stop and go: 0.8 s of it at full speed, 0.8 s of it standing


def poses(position: Series, yaw: Series, pitch: Series, roll: Series) -> Series:
    """
    Build camera poses.

    :param position: (T, 3) in the world, z up [m].
    :param yaw: (T,) heading, anticlockwise from above [rad].
    :param pitch: (T,) positive looks down [rad].
    :param roll: (T,) about the viewing direction [rad].
    :return: (T, 4, 4) T_world_camera, optical frame.
    """
    zero, one = np.zeros_like(yaw), np.ones_like(yaw)
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    turn = _matrix(cy, -sy, zero, sy, cy, zero, zero, zero, one)
    nod = _matrix(cp, zero, sp, zero, one, zero, -sp, zero, cp)
    lean = _matrix(one, zero, zero, zero, cr, -sr, zero, sr, cr)
    T = np.tile(np.eye(4), (len(yaw), 1, 1))
    T[:, :3, :3] = turn @ nod @ lean @ BODY_OPTICAL
    T[:, :3, 3] = position
    return T


def stand(config: SceneConfig, T: Series, rng: np.random.Generator) -> Series:
    """
    Apply the switches of how the camera looks out, stands and turns.

    :param config: the sequence.
    :param T: (T, 4, 4) poses of the camera that looks ahead and goes on.
    :param rng: source of randomness.
    :return: (T, 4, 4) poses.
    """
    if config.heading_deg:
        T = _look_aside(T, np.radians(config.heading_deg))
    if config.stop_and_go:
        return _pause(T, config.fps)
    if config.static_camera:
        return np.repeat(T[:1], len(T), axis=0)
    if not config.pure_rotation:
        return T
    t = np.arange(len(T)) / config.fps
    sweep = config.speed * rng.choice([-1, 1]) * rng.uniform(0.3, 0.5)
    # A robot spins on the spot; other cameras look left and right.
    yaw = sweep * t if config.kind == 'indoor' else sweep * np.sin(t)
    turned = T.copy()
    turned[:, :3, :3] = poses(np.zeros((len(T), 3)), yaw, 0 * t, 0 * t)[:, :3, :3] @ (
        BODY_OPTICAL.T @ T[:1, :3, :3])
    turned[:, :3, 3] = T[0, :3, 3]
    return turned


def sway(rng: np.random.Generator, t: Series, size: float, slow: float, fast: float) -> Series:
    """
    Smooth wandering: a sum of five sines.

    :param rng: source of randomness.
    :param t: (T,) time [s].
    :param size: about the standard deviation.
    :param slow: longest period [s].
    :param fast: shortest period [s].
    :return: (T,) values.
    """
    periods = np.geomspace(slow, fast, 5) * rng.uniform(0.85, 1.15, 5)
    phases = rng.uniform(0, 2 * np.pi, 5)
    weights = rng.uniform(0.5, 1.0, 5) * np.sqrt(periods / slow)
    wave = np.sin(2 * np.pi * t[:, None] / periods + phases) @ weights
    return size * wave / np.sqrt(0.5 * np.sum(weights**2))


def make_road(rng: np.random.Generator, length: float) -> Road:
    """
    Lay a road with gentle curves, radius about 80 m and more.

    :param rng: source of randomness.
    :param length: it reaches from -100 m to this arc length [m].
    :return: the road, along x at first.
    """
    step = 0.5
    x = np.arange(-100.0, length + 150.0, step)
    waves = rng.uniform(180.0, 500.0, 3)
    bends = rng.uniform(0.08, 0.2, 3)
    yaw = np.sin(2 * np.pi * x[:, None] / waves + rng.uniform(0, 2 * np.pi, 3)) @ bends
    y = np.cumsum(np.tan(yaw)) * step
    s = np.cumsum(1 / np.cos(yaw)) * step
    origin = int(np.searchsorted(x, 0.0))
    return Road(float(x[0]), step, y - y[origin], yaw, s - s[origin])


def drive(config: SceneConfig, rng: np.random.Generator) -> Series:
    """
    Choose the car's speed: 5 to 15 m/s at ``config.speed`` 1, changing slowly.

    :param config: the sequence.
    :param rng: source of randomness.
    :return: (T,) arc length [m], constant if the camera is stationary.
    """
    t = np.arange(config.frames) / config.fps
    speed = np.clip(rng.uniform(6.0, 14.0) + sway(rng, t, 1.2, 30.0, 8.0), 5.0, 15.0)
    s = np.concatenate([[0.0], np.cumsum(config.speed * speed[:-1] / config.fps)])
    return np.zeros_like(s) if config.stationary else s


def seat(config: SceneConfig, rng: np.random.Generator, road: Road, s: Series,
         left: float) -> Series:
    """
    Put the camera behind a windscreen.

    :param config: the sequence.
    :param rng: source of randomness.
    :param road: the road.
    :param s: (T,) arc length [m].
    :param left: offset from the road's middle [m].
    :return: (T, 4, 4) T_world_camera.
    """
    t = np.arange(config.frames) / config.fps
    x, y, yaw = road.at(s, left + sway(rng, t, 0.06, 12.0, 4.0))
    z = rng.uniform(1.35, 1.7) + sway(rng, t, 0.012, 1.5, 0.4)
    return poses(np.stack([x, y, z], axis=1), yaw + sway(rng, t, 0.008, 10.0, 2.0),
                 rng.normal(0.01, 0.02) + sway(rng, t, 0.004, 1.5, 0.4),
                 sway(rng, t, 0.004, 3.0, 0.7))


def loop(phase: Series, radii: tuple[float, float], dent: float) -> tuple[Series, Series, Series]:
    """
    Walk a closed path about the origin that never crosses itself.

    :param phase: (T,) [rad].
    :param radii: half sizes along x and y [m].
    :param dent: how far the third harmonic bends it, relative to the radii.
    :return: x [m], y [m] and yaw of the tangent [rad], each (T,).
    """
    factor = 1 + dent * np.cos(3 * phase)
    slope = -3 * dent * np.sin(3 * phase)
    x, y = radii[0] * factor * np.cos(phase), radii[1] * factor * np.sin(phase)
    dx = radii[0] * (slope * np.cos(phase) - factor * np.sin(phase))
    dy = radii[1] * (slope * np.sin(phase) + factor * np.cos(phase))
    return x, y, np.unwrap(np.arctan2(dy, dx))


def _look_aside(T: Series, angle: float) -> Series:
    """Turn every camera about the world's vertical axis [rad]."""
    c, s = np.cos(angle), np.sin(angle)
    turned = T.copy()
    turned[:, :3, :3] = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]) @ T[:, :3, :3]
    return turned


def _pause(T: Series, fps: float) -> Series:
    """Go along the same path, but brake, stand and start again in every ``STOP_PERIOD_S``."""
    t = np.arange(len(T)) / fps
    pace = np.clip(0.5 + 1.5 * np.cos(2 * np.pi * t / STOP_PERIOD_S), 0.0, 1.0)
    place = np.concatenate([[0.0], np.cumsum(pace[:-1])])
    before = np.minimum(place.astype(int), len(T) - 1)
    after = np.minimum(before + 1, len(T) - 1)
    share = (place - before)[:, None, None]
    between = (1 - share) * T[before] + share * T[after]
    # The rotation nearest to the mixture of two that differ little.
    U, _, Vt = np.linalg.svd(between[:, :3, :3])
    between[:, :3, :3] = U @ Vt
    return between


def _matrix(*entries: Series) -> Series:
    """Stack nine (T,) entries into (T, 3, 3)."""
    return np.stack(entries, axis=-1).reshape(-1, 3, 3)
