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
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FEWEST_INLIERS = 0.4
# A point counts however far away it is [lengths of the translation]; OpenCV leaves out those
# beyond 50, which with little parallax are most.
_FARTHEST = 1e6


def essential_motion(
    tracks: Array, K: Array, inlier_px: float
) -> Array | None:
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


def epipolar_error(T: Array, pixels: Array, K: Array) -> Array:
    """
    How far points are from where a motion could bring them, whatever their depth.

    Source: Sampson's distance; Hartley and Zisserman, Multiple View Geometry, 11.4.3.

    :param T: (B, 4, 4) T_source_target.
    :param pixels: (B, 4, N) x, y in the target and x, y in the source [px]; NaN is left out.
    :param K: (B, 3, 3) of both frames [px].
    :return: (B,) median [px]; 0 for a motion without translation.
    """
    inv_K = np.linalg.inv(K)
    target, source = homogeneous(pixels[:, :2]), homogeneous(pixels[:, 2:])
    t = T[:, :3, 3]
    direction = t / np.maximum(np.linalg.norm(t, axis=1, keepdims=True), 1e-12)
    essential = np.cross(direction[:, None], T[:, :3, :3].transpose(0, 2, 1)).transpose(0, 2, 1)
    F = inv_K.transpose(0, 2, 1) @ essential @ inv_K
    line, other = F @ target, F.transpose(0, 2, 1) @ source  # (B, 3, N)
    steepness = np.sqrt((line[:, :2] ** 2 + other[:, :2] ** 2).sum(axis=1))
    return median_known(np.abs((source * line).sum(axis=1)) / np.maximum(steepness, 1e-12))


def triangulate(T: Array, rays: Array, source_rays: Array) -> Array:
    """
    Find the depth at which each point is seen in both frames.

    :param T: (4, 4) T_source_target.
    :param rays: (3, N) of the target's pixels, z = 1.
    :param source_rays: (3, N) of the source's, z = 1.
    :return: (N,) depth in the target, in units of the translation; negative behind it.
    """
    turned = np.cross(source_rays, T[:3, :3] @ rays, axis=0)
    moved = np.cross(source_rays, T[:3, 3:], axis=0)
    depth: Array = -(turned * moved).sum(axis=0) / np.maximum((turned ** 2).sum(axis=0), 1e-18)
    return depth


def pixel_rays(pixels: Array, K: Array) -> Array:
    """
    Return where pixels look.

    :param pixels: (B, 2, N) x, y [px].
    :param K: (B, 3, 3) intrinsics [px].
    :return: (B, 3, N), z = 1.
    """
    with np.errstate(invalid='ignore'):  # what is not known stays so
        rays: Array = np.linalg.inv(K) @ homogeneous(pixels)
    return rays


def homogeneous(pixels: Array) -> Array:
    """Add a third coordinate of 1 to (B, 2, N)."""
    return np.concatenate([pixels, np.ones_like(pixels[:, :1])], axis=1)


def median_known(values: Array) -> Array:
    """
    Return the lower median of each row, of what is not NaN.

    :param values: (B, N).
    :return: (B,); NaN where all are.
    """
    rising = np.sort(values, axis=1)  # NaN comes last
    known = np.count_nonzero(~np.isnan(values), axis=1)
    medians: Array = rising[np.arange(len(rising)), (known - 1) // 2]
    return medians
