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

"""Analytic depth images of ground, with and without things on it, and of what is no ground."""

import math

from mdepth_ros.geometry.intrinsics import intrinsics_from_fov
import numpy as np
import torch

HEIGHT = 1.3  # of the camera [m]
FARTHEST = 80.0


class View:
    """Inverse depth of what one camera sees; ``pitch_deg`` is down, ``roll_deg`` to the side."""

    def __init__(self, width=416, height=320, fov_deg=70.0, pitch_deg=0.0, roll_deg=0.0):
        self.K = intrinsics_from_fov(fov_deg, width, height)
        K = self.K.double().numpy()
        y, x = np.mgrid[:height, :width]
        self.rays = np.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1], np.ones(x.shape)],
                             axis=-1)
        pitch, roll = math.radians(pitch_deg), math.radians(roll_deg)
        self.down = np.array([math.sin(roll) * math.cos(pitch), math.cos(roll) * math.cos(pitch),
                              math.sin(pitch)])
        self.inverse = np.full(x.shape, 1 / FARTHEST)

    def plane(self, normal, distance):
        """Add a plane where it is the nearest."""
        self.inverse = np.maximum(self.inverse, self.rays @ np.asarray(normal) / distance)
        return self

    def ground(self, height=HEIGHT):
        return self.plane(self.down, height)

    def wall(self, distance, yaw_deg=0.0):
        yaw = math.radians(yaw_deg)
        return self.plane([math.sin(yaw), 0.0, math.cos(yaw)], distance)

    def table(self, height, edge):
        """Add a level plate from below the camera to where its edge is ahead."""
        plate = self.rays @ self.down / height
        self.inverse = np.where(plate > 1 / edge, np.maximum(plate, self.inverse), self.inverse)
        return self

    def boxes(self, share, seed):
        """Add boxes that stand on the ground until they cover a share of the lower image."""
        rng = np.random.default_rng(seed)
        H, W = self.inverse.shape
        covered = np.zeros((H, W), bool)
        lower = slice(round(0.6 * H), H)
        while covered[lower].mean() < share - 0.02:
            w, h = rng.integers(W // 20, W // 5), rng.integers(H // 6, H // 2)
            left, foot = rng.integers(0, W - w), rng.integers(round(0.6 * H), H)
            box = (slice(max(foot - h, 0), foot), slice(left, left + w))
            both = covered.copy()
            both[box] = True
            if both[lower].mean() <= share:
                covered = both
                near = self.inverse[foot - 1, left + w // 2]
                self.inverse[box] = np.maximum(self.inverse[box], near)
        return self

    def depth(self, noise=0.0, seed=0):
        """(1, 1, H, W) depth [m] with a relative noise per pixel."""
        errors = np.random.default_rng(seed).normal(0, noise, self.inverse.shape)
        return torch.tensor(np.exp(errors) / self.inverse, dtype=torch.float32)[None, None]


def stairs(view, rise, tread, start):
    """Boxes that rise like stairs before the camera, on the ground of a level camera."""
    y = view.rays[..., 1]
    depth = np.where(y > 0, HEIGHT / np.maximum(y, 1e-9), np.inf)
    depth = np.where(depth < start, depth, np.inf)
    for i in range(20):
        z = start + i * tread
        front = (y * z <= HEIGHT - i * rise) & (y * z >= HEIGHT - (i + 1) * rise)
        depth = np.where(front, np.minimum(depth, z), depth)
        with np.errstate(divide='ignore', invalid='ignore'):
            top = (HEIGHT - (i + 1) * rise) / y
        depth = np.where((top >= z) & (top <= z + tread), np.minimum(depth, top), depth)
    view.inverse = 1 / np.minimum(depth, FARTHEST)
    return view
