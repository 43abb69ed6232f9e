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

"""One estimate as the arrays that people and robots use, each made when it is first asked for."""

from dataclasses import dataclass, field
from functools import cached_property
import math
from typing import get_args, Literal

import cv2
from mdepth_ros.engine.camera import Camera, resized_camera
from mdepth_ros.engine.frames import DepthEstimate
from mdepth_ros.engine.point_cloud import (
    clearing_points,
    CloudFilter,
    navigation_points,
    organised_points,
)
from mdepth_ros.engine.resample import resize_depth
from mdepth_ros.geometry.intrinsics import invert_intrinsics
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor
import torch.nn.functional as F

OutputSize = Literal['network', 'input']


@dataclass(frozen=True)
class RenderingOptions:
    """
    What the arrays are to be like.

    ``output_size`` is the resolution of images and of the organised cloud: the network's or the
    input image's. Depth nearer than ``min_depth_m`` is marked as too close, beyond ``max_depth_m``
    as out of range. ``color_near_m`` and ``color_far_m`` are at the ends of the colours. ``cloud``
    says which points are kept, ``clearing`` which rays.

    :raises ValueError: naming everything that contradicts itself.
    """

    output_size: OutputSize = 'network'
    min_depth_m: float = 0.1
    max_depth_m: float = 80.0
    color_near_m: float = 1.0
    color_far_m: float = 40.0
    cloud: CloudFilter = field(default_factory=CloudFilter)
    clearing: CloudFilter = field(default_factory=CloudFilter)

    def __post_init__(self) -> None:
        problems = []
        if self.output_size not in get_args(OutputSize):
            problems.append(f'output_size must be one of {", ".join(get_args(OutputSize))}, '
                            f'got {self.output_size!r}')
        if not 0.0 <= self.min_depth_m < self.max_depth_m:
            problems.append(f'need 0 <= min_depth_m < max_depth_m, '
                            f'got {self.min_depth_m} and {self.max_depth_m}')
        if not 0.0 < self.color_near_m < self.color_far_m:
            problems.append(f'need 0 < color_near_m < color_far_m, '
                            f'got {self.color_near_m} and {self.color_far_m}')
        if problems:
            raise ValueError('RenderingOptions: ' + '; '.join(problems))


def mark_range(depth: Tensor, valid: Tensor, nearest: float, farthest: float) -> Tensor:
    """
    Mark what is not a measurement the way REP 117 does.

    :param depth: (1, 1, H, W) depth [m].
    :param valid: (1, 1, H, W) bool.
    :param nearest: shortest range [m].
    :param farthest: longest range [m].
    :return: (1, 1, H, W) depth [m]; NaN invalid, -Inf too close, +Inf beyond range.
    """
    # Thresholds, as on a CPU each comparison takes as long as four of them. They let pass what is
    # above; both ends are in range.
    below, above = (torch.nextafter(torch.tensor(end), torch.tensor(-math.inf)).item()
                    for end in (nearest, -farthest))
    marked = F.threshold(depth, below, -math.inf).neg_()
    marked = F.threshold(marked, above, -math.inf).neg_()
    return torch.where(valid, marked, math.nan)


def color_picture(
    depth: NDArray[np.float32], near: float, far: float
) -> NDArray[np.uint8]:
    """
    Colour a depth image for people, warm near and cold far, by its logarithm.

    :param depth: (H, W) depth [m]; NaN invalid, +Inf beyond range, -Inf too close.
    :param near: depth of the warmest colour [m].
    :param far: depth of the coldest colour [m].
    :return: (H, W, 3) uint8 BGR; black where invalid.
    """
    inside = np.clip(np.where(np.isnan(depth), near, depth), near, far)
    warmth = np.log(far / inside) / math.log(far / near)
    levels = (255 * warmth).astype(np.uint8)
    picture = np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_TURBO), np.uint8)
    picture[np.isnan(depth)] = 0
    return picture


class Rendering:
    """The outputs of one frame; what nobody subscribes to is never computed."""

    def __init__(
        self, estimate: DepthEstimate, camera: Camera, options: RenderingOptions
    ) -> None:
        """
        Keep what the outputs are made of.

        :param estimate: depth at the network's resolution.
        :param camera: camera of the input image.
        :param options: what they are to be like.
        """
        self._estimate = estimate
        self._input_camera = camera
        self._options = options

    @cached_property
    def camera(self) -> Camera:
        """Camera of all images."""
        height, width = self._size
        return resized_camera(self._input_camera, width, height)

    @cached_property
    def depth(self) -> NDArray[np.float32]:
        """(H, W) depth [m], marked as REP 117 has it."""
        return _array(self._depth)

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """(H, W) confidence in [0, 1]."""
        values = self._estimate.confidence
        return _array(values if values.shape[2:] == self._size else
                      F.interpolate(values, self._size, mode='bilinear', align_corners=False))

    @cached_property
    def color(self) -> NDArray[np.uint8]:
        """(H, W, 3) BGR picture of the depth."""
        options = self._options
        return color_picture(self.depth, options.color_near_m, options.color_far_m)

    @cached_property
    def points(self) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """(3, H, W) points [m] and (H, W, 3) RGB colours."""
        rgb = self._estimate.rgb
        if rgb.shape[:2] != self._size:
            rgb = np.asarray(cv2.resize(rgb, self._size[::-1]), np.uint8)
        return organised_points(self._depth, self._inv_K(self._depth)).cpu().numpy(), rgb

    @cached_property
    def navigation_points(self) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """(N, 3) points [m] and RGB colours that a costmap should see."""
        return self.points_that_pass(self._options.cloud)

    def points_that_pass(
        self, keep: CloudFilter
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """
        Lift some pixels, at the network's resolution.

        :param keep: which ones.
        :return: (N, 3) points [m] and their (N, 3) RGB colours.
        """
        points, rgb = navigation_points(
            self._network_depth, self._inv_K(self._network_depth),
            torch.from_numpy(self._estimate.rgb).to(self._estimate.K.device),
            self._estimate.confidence, keep)
        return points.cpu().numpy(), rgb.cpu().numpy()

    @cached_property
    def clearing_points(self) -> NDArray[np.float32]:
        """(N, 3) ends [m] of the rays that a costmap may clear."""
        ends: NDArray[np.float32] = clearing_points(
            self._network_depth, self._inv_K(self._network_depth), self._estimate.confidence,
            self._options.clearing).cpu().numpy()
        return ends

    def _inv_K(self, depth: Tensor) -> Tensor:
        """Invert the camera at a depth's size: this frame's, where the lens has moved a little."""
        height, width = depth.shape[2:]
        camera = resized_camera(self._input_camera, width, height)
        return invert_intrinsics(torch.tensor(camera.K).to(self._estimate.K))

    @cached_property
    def _network_depth(self) -> Tensor:
        """Mark the depth at the network's resolution."""
        options, estimate = self._options, self._estimate
        return mark_range(estimate.depth, estimate.valid, options.min_depth_m,
                          options.max_depth_m)

    @cached_property
    def _depth(self) -> Tensor:
        """Bring the marked depth to the output's size."""
        return resize_depth(self._network_depth, *self._size)

    @property
    def _size(self) -> tuple[int, int]:
        """Height and width of all images [px]."""
        if self._options.output_size == 'input':
            return self._input_camera.height, self._input_camera.width
        height, width = self._estimate.rgb.shape[:2]
        return height, width


def _array(values: Tensor) -> NDArray[np.float32]:
    """(1, 1, H, W) tensor to (H, W) array."""
    array: NDArray[np.float32] = values[0, 0].cpu().numpy()
    return array
