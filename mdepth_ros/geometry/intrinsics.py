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

"""Pinhole intrinsics: build, resize, invert. Integer pixel coordinates are pixel centres."""

import math

import torch
from torch import Tensor


def intrinsics_from_fov(horizontal_fov_deg: float, width: int, height: int) -> Tensor:
    """
    Build the intrinsics of an ideal camera: square pixels, principal point in the middle.

    :param horizontal_fov_deg: angle between the outer edges of the first and last column [deg].
    :param width: image width [px].
    :param height: image height [px].
    :return: (3, 3) float32 intrinsics [px].
    :raises ValueError: if the angle is not in (0, 180).
    """
    if not 0.0 < horizontal_fov_deg < 180.0:
        raise ValueError(f'horizontal_fov_deg must be in (0, 180), got {horizontal_fov_deg}')
    f = 0.5 * width / math.tan(math.radians(horizontal_fov_deg) / 2)
    return torch.tensor([[f, 0.0, (width - 1) / 2], [0.0, f, (height - 1) / 2], [0.0, 0.0, 1.0]])


def resize_intrinsics(K: Tensor, scale_x: float, scale_y: float) -> Tensor:
    """
    Follow an image resize (``align_corners=False``): f' = s f, c' = (c + 0.5) s - 0.5.

    :param K: (..., 3, 3) intrinsics before the resize [px].
    :param scale_x: new width / old width.
    :param scale_y: new height / old height.
    :return: (..., 3, 3) intrinsics after the resize [px].
    """
    resized = K.clone()
    resized[..., 0, :2] *= scale_x
    resized[..., 1, :2] *= scale_y
    resized[..., 0, 2] = (K[..., 0, 2] + 0.5) * scale_x - 0.5
    resized[..., 1, 2] = (K[..., 1, 2] + 0.5) * scale_y - 0.5
    return resized


def stride_intrinsics(K: Tensor, stride: int) -> Tensor:
    """
    Follow every n-th pixel, ``image[..., ::stride, ::stride]``, or centred strided convolutions.

    Pixel i of the result lies on pixel ``stride * i`` of the input, where a resize would put it in
    the middle of the pixels that it averages.

    :param K: (..., 3, 3) intrinsics of the input [px].
    :param stride: step in both directions.
    :return: (..., 3, 3) intrinsics of the result [px].
    """
    strided = K.clone()
    strided[..., :2, :] /= stride
    return strided


def invert_intrinsics(K: Tensor) -> Tensor:
    """
    Invert upper-triangular intrinsics in closed form, so that it exports and never needs LAPACK.

    :param K: (..., 3, 3) intrinsics [px]; skew is allowed.
    :return: (..., 3, 3) inverse intrinsics [1/px].
    """
    fx, fy = K[..., 0, 0], K[..., 1, 1]
    skew, cx, cy = K[..., 0, 1], K[..., 0, 2], K[..., 1, 2]
    zero, one = torch.zeros_like(fx), torch.ones_like(fx)
    rows = (
        torch.stack([1 / fx, -skew / (fx * fy), (skew * cy - cx * fy) / (fx * fy)], dim=-1),
        torch.stack([zero, 1 / fy, -cy / fy], dim=-1),
        torch.stack([zero, zero, one], dim=-1),
    )
    return torch.stack(rows, dim=-2)
