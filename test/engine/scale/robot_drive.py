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

"""A robot that drives, its noisy odometry, and a camera that sees it move but not how far."""

import math

from mdepth_ros.engine.scale.odometry import Motion
from mdepth_ros.engine.scale.ramp import Ramp
import numpy as np

TRUE_SCALE = 1.7
LEVER_ARM_M = 0.2  # the camera sits before the axle, whose odometry it is
STEP_S = 0.005


class Drive:
    """
    Feeds an OdometryScale. ``motion`` gives speed [m/s] and turn rate [rad/s] at a time [s].

    Odometry: 5 % noise per step, and ``outliers``: 'slips' (20 % of the steps have a wrong
    length), 'glitches' (20 % of the readings lie elsewhere) or none. Camera: 10 % noise and 5 %
    gross outliers per frame.
    """

    def __init__(self, motion, seed=0, fps=10, odometry_hz=50, outliers='slips', camera_noise=0.1,
                 late_s=0.1, jitter_s=0.1):
        self.rng = np.random.default_rng(seed)
        self.motion, self.fps, self.odometry_hz, self.outliers = motion, fps, odometry_hz, outliers
        self.camera_noise, self.late_s, self.jitter_s = camera_noise, late_s, jitter_s
        self.true_scale = TRUE_SCALE
        self.ramp = Ramp(1.0)
        self.time_s = self.moved_s = self.x = self.y = self.heading = 0.0
        self.counted = np.zeros(2)
        self.last_xy = np.zeros(2)
        self.last_pose, self.last_ns = self.pose(), 0
        self.on_their_way = []

    def pose(self):
        c, s = math.cos(self.heading), math.sin(self.heading)
        return np.array([[c, -s, 0, self.x + LEVER_ARM_M * c], [s, c, 0, self.y + LEVER_ARM_M * s],
                         [0, 0, 1, 0], [0, 0, 0, 1]])

    def seen_motion(self):
        T = np.linalg.inv(self.last_pose) @ self.pose()
        length = np.linalg.norm(T[:3, 3]) / self.true_scale
        direction = T[:3, 3] / self.true_scale + self.rng.normal(0, 0.05, 3) * length
        noise = self.rng.normal(0, self.camera_noise)
        if self.rng.random() < 0.05:
            direction, noise = self.rng.normal(size=3), self.rng.uniform(-1.5, 1.5)
        T[:3, 3] = direction / max(np.linalg.norm(direction), 1e-9) * length * math.exp(noise)
        T[:3, 3] += self.rng.normal(0, 0.001, 3)  # also where nothing moves
        return T

    def read_odometry(self):
        moved = np.array([self.x, self.y]) - self.last_xy
        self.last_xy = np.array([self.x, self.y])
        share = self.rng.normal(1, 0.05)
        outlier = self.rng.random() < 0.2
        if outlier and self.outliers == 'slips':
            share = self.rng.choice([0.0, 0.3, 2.0, 3.0])
        self.counted = self.counted + share * moved
        position = np.array([*self.counted, 0.0])
        if outlier and self.outliers == 'glitches':
            position += self.rng.normal(0, 1.0, 3)
        arrives_s = self.time_s + self.late_s + self.rng.uniform(0, self.jitter_s)
        self.on_their_way.append((arrives_s, round(self.time_s * 1e9), position))

    def run(self, scale, seconds, may_jump=True):
        """Return [(seconds of motion so far, scale that is applied)] of each frame."""
        history = []
        per_reading = round(1 / (self.odometry_hz * STEP_S))
        for step in range(1, round(seconds / STEP_S) + 1):
            speed, rate = self.motion(self.time_s)
            self.heading += STEP_S * rate
            self.x += STEP_S * speed * math.cos(self.heading)
            self.y += STEP_S * speed * math.sin(self.heading)
            self.time_s += STEP_S
            self.moved_s += STEP_S * (speed > 0.05)
            if step % per_reading == 0:
                self.read_odometry()
            now_ns = round(self.time_s * 1e9)
            if now_ns - self.last_ns < 1e9 / self.fps - 1e3:
                continue
            self.on_their_way.sort()
            while self.on_their_way and self.on_their_way[0][0] <= self.time_s:
                scale.add_odometry(*self.on_their_way.pop(0)[1:])
            scale.add_motion(Motion(self.last_ns, now_ns, self.seen_motion()))
            self.last_pose, self.last_ns = self.pose(), now_ns
            self.ramp.follow(scale.scale, may_jump)
            history.append((self.moved_s, self.ramp.scale))
        return history


def straight(time_s):
    return 1.0, 0.0


def stops_and_turns(time_s):
    phase = time_s % 10
    if phase < 4:
        return 0.8 * min(1.0, 4 - phase), 0.0
    if phase < 5:
        return 0.0, 0.0
    if phase < 9:
        return min(0.7, phase - 5), (0.4 if phase < 7 else -0.2)
    return 0.0, 1.2
