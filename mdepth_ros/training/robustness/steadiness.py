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

"""Depth that changes from one frame to the next without a reason."""

from mdepth_ros.geometry.intrinsics import invert_intrinsics
from mdepth_ros.geometry.pose import invert_motion
from mdepth_ros.geometry.projection import (
    backproject,
    inside,
    project,
    sample,
    transform,
)
import numpy as np
from numpy.typing import NDArray
import torch

Depth = NDArray[np.float32]

# A point is the one seen in the frame before if its depth there is right within this share.
SAME_POINT = 0.03
# Fewer points that both frames see say nothing.
FEWEST_POINTS = 100


def unexplained_change(
    depth: Depth, depth_before: Depth, truth: Depth, truth_before: Depth,
    static: NDArray[np.bool_], K: NDArray[np.float64], T_before_now: NDArray[np.float64],
) -> float | None:
    """
    How far the depth of what both frames see changes, beyond what the camera's motion explains.

    Points are followed by the true depth and motion, so that the measure needs no scale and is 0
    for any depth that is a constant times the truth, whatever the camera does.

    :param depth: (H, W) estimate of this frame; NaN where there is none.
    :param depth_before: (H, W) estimate of the frame before.
    :param truth: (H, W) true depth of this frame [m]; NaN unknown, +Inf sky.
    :param truth_before: (H, W) true depth of the frame before.
    :param static: (H, W) what does not move in the world.
    :param K: (3, 3) intrinsics of both [px].
    :param T_before_now: (4, 4) true motion of points from this frame to the one before.
    :return: abs(median log ratio) of the points' depths; None if too few are seen in both.
    """
    H, W = truth.shape
    K_ = torch.tensor(K, dtype=torch.float64)[None]
    points = backproject(_image(truth), invert_intrinsics(K_))
    moved = transform(torch.as_tensor(T_before_now, dtype=torch.float64)[None], points)
    pixels, in_front = project(moved, K_)
    # Inverse depth is linear in the pixels of a plane.
    seen = sample(1 / _image(truth_before), pixels, 'border')
    same = in_front & inside(pixels, H, W) & ((seen * moved[:, 2:] - 1).abs() < SAME_POINT)
    error = (_image(depth) / _image(truth)).log()
    error_before = (seen / sample(1 / _image(depth_before), pixels, 'border')).log()
    change = (error - error_before)[same & torch.from_numpy(static)]
    change = change[change.isfinite()]
    if change.numel() < FEWEST_POINTS:
        return None
    return float(change.median().abs())


def motion_between(
    T_world_now: NDArray[np.float64], T_world_before: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    Return the (4, 4) motion of points from this frame to the one before.

    :param T_world_now: (4, 4) pose of this frame's camera.
    :param T_world_before: (4, 4) pose of the camera before.
    """
    T: NDArray[np.float64] = (
        invert_motion(torch.from_numpy(T_world_before)) @ torch.from_numpy(T_world_now)).numpy()
    return T


def _image(values: Depth) -> torch.Tensor:
    """(H, W) array to (1, 1, H, W) tensor."""
    return torch.as_tensor(values, dtype=torch.float64)[None, None]
