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

"""The camera's motion from two views of points whose depth nobody knows."""

import cv2
from mdepth_ros.geometry.intrinsics import invert_intrinsics
from mdepth_ros.geometry.product import exact_product
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

FEWEST_INLIERS = 0.4
# A point counts however far away it is [lengths of the translation]; OpenCV leaves out those
# beyond 50, which with little parallax are most.
_FARTHEST = 1e6


def essential_motion(
    tracks: NDArray[np.float64], K: NDArray[np.float64], inlier_px: float
) -> NDArray[np.float64] | None:
    """
    Recover rotation and direction of translation from the essential matrix.

    Source: Nister 2004 (five points), Barath et al. 2020 (MAGSAC++); OpenCV's.

    :param tracks: (N, 4) x, y in the target and x, y in the source [px], N at least 5.
    :param K: (3, 3) of both frames [px].
    :param inlier_px: largest distance of an inlier from its epipolar line [px].
    :return: (4, 4) T_source_target with a translation of length 1; None where too few points
        agree.
    """
    target, source = np.ascontiguousarray(tracks[:, :2]), np.ascontiguousarray(tracks[:, 2:])
    E, inliers = cv2.findEssentialMat(target, source, K, method=cv2.USAC_MAGSAC, prob=0.999,
                                      threshold=inlier_px)
    if E is None or E.shape != (3, 3):
        return None
    count, R, t, *_ = cv2.recoverPose(E, target, source, K, distanceThresh=_FARTHEST,
                                      mask=inliers)
    if count < FEWEST_INLIERS * len(tracks):
        return None
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = R, t[:, 0]
    return T


def epipolar_error(T: Tensor, pixels: Tensor, K: Tensor) -> Tensor:
    """
    How far points are from where a motion could bring them, whatever their depth.

    Source: Sampson's distance; Hartley and Zisserman, Multiple View Geometry, 11.4.3.

    :param T: (B, 4, 4) T_source_target.
    :param pixels: (B, 4, N) x, y in the target and x, y in the source [px]; NaN is left out.
    :param K: (B, 3, 3) of both frames [px].
    :return: (B,) median [px]; 0 for a motion without translation.
    """
    one = torch.ones_like(pixels[:, :1])
    inv_K = invert_intrinsics(K)
    target, source = torch.cat([pixels[:, :2], one], 1), torch.cat([pixels[:, 2:], one], 1)
    t = torch.nn.functional.normalize(T[:, :3, 3:], dim=1)
    essential = torch.linalg.cross(t.expand(-1, -1, 3), T[:, :3, :3], dim=1)
    F = exact_product(exact_product(inv_K.transpose(1, 2), essential), inv_K)
    line = exact_product(F, target)  # (B, 3, N)
    other = exact_product(F.transpose(1, 2), source)
    steepness = torch.cat([line[:, :2], other[:, :2]], 1).norm(dim=1).clamp(min=1e-12)
    distance: Tensor = (source * line).sum(dim=1).abs() / steepness
    return distance.nanmedian(dim=1).values


def triangulate(T: Tensor, rays: Tensor, source_rays: Tensor) -> Tensor:
    """
    Find the depth at which each point is seen in both frames.

    :param T: (4, 4) T_source_target.
    :param rays: (3, N) of the target's pixels, z = 1.
    :param source_rays: (3, N) of the source's, z = 1.
    :return: (N,) depth in the target, in units of the translation; negative behind it.
    """
    turned = torch.linalg.cross(source_rays, exact_product(T[:3, :3], rays), dim=0)
    moved = torch.linalg.cross(source_rays, T[:3, 3:].expand_as(rays), dim=0)
    depth: Tensor = -(turned * moved).sum(dim=0) / (turned ** 2).sum(dim=0).clamp(min=1e-18)
    return depth
