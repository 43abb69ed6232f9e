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

"""How far to the side a lens model can be believed: beyond that it turns back inward."""

import math

import cv2
from mdepth_ros.engine.camera import Camera
import numpy as np
from numpy.typing import NDArray

SAMPLES, DIRECTIONS = 2000, 8


def within_reach(camera: Camera, rectified: Camera) -> NDArray[np.bool_]:
    """
    Tell which pixels of a rectified image look where the lens model still maps outward.

    A polynomial that was fitted to the middle of the image turns farther out: the directions there
    would show once more what was seen before, mirrored.

    :param camera: that of the raw images, with distortion.
    :param rectified: that of the rectified ones.
    :return: (H, W) of the rectified image.
    """
    u, v = np.meshgrid(np.arange(rectified.width), np.arange(rectified.height))
    pixels = np.stack([u, v, np.ones_like(u)]).reshape(3, -1)
    x, y, z = camera.R.T @ np.linalg.inv(rectified.K) @ pixels
    angle = np.arctan2(np.hypot(x, y), z)
    ahead = angle < math.pi / 2
    reach = _reach(camera, float(angle[ahead].max(initial=0.0)))
    return np.asarray(ahead & (angle <= reach)).reshape(u.shape)


def _reach(camera: Camera, farthest: float) -> float:
    """Smallest angle from the optical axis, up to the farthest one, at which the lens turns."""
    angles = np.linspace(0.0, farthest, SAMPLES)
    turn = np.linspace(0.0, 2 * math.pi, DIRECTIONS, endpoint=False)
    outward = np.stack([np.cos(turn), np.sin(turn)], axis=1)  # (D, 2)
    points = np.ones((DIRECTIONS, SAMPLES, 3))
    points[..., :2] = outward[:, None] * np.tan(angles)[:, None]
    project = (cv2.fisheye.projectPoints if camera.distortion_model == 'equidistant'
               else cv2.projectPoints)
    seen, _ = project(points.reshape(-1, 1, 3), np.zeros(3), np.zeros(3), np.eye(3),
                      camera.distortion)
    radius = (seen.reshape(DIRECTIONS, SAMPLES, 2) * outward[:, None]).sum(axis=-1)
    turns = np.flatnonzero(~(np.diff(radius) > 0).all(axis=0))
    return float(angles[turns[0]]) if len(turns) else math.inf
