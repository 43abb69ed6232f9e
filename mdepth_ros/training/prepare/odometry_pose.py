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

"""Odometry at the moment of an image."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
# Quaternions further from one than this are unset, as in a message of zeros.
NORM_TOLERANCE = 0.1
# Below this angle the chord and the arc do not differ.
PARALLEL = 1.0 - 1e-10


@dataclass(frozen=True, eq=False)
class OdometryPose:
    """Pose of the robot: position (3,) [m] and unit quaternion (4,) in the order x y z w."""

    position: Vector
    quaternion: Vector


def pose_of(odometry: Any) -> OdometryPose | None:
    """
    Read an odometry message.

    :param odometry: a nav_msgs/Odometry.
    :return: its pose; None where it is not finite or has no rotation.
    """
    position, rotation = odometry.pose.pose.position, odometry.pose.pose.orientation
    p = np.array([position.x, position.y, position.z], np.float64)
    q = np.array([rotation.x, rotation.y, rotation.z, rotation.w], np.float64)
    norm = float(np.linalg.norm(q))
    # False for NaN as well.
    if not (np.isfinite(p).all() and abs(norm - 1.0) < NORM_TOLERANCE):
        return None
    return OdometryPose(p, q / norm)


def pose_between(before: OdometryPose, after: OdometryPose, share: float) -> Vector:
    """
    Interpolate: the position along a line, the rotation along the shortest arc.

    :param before: pose at share 0.
    :param after: pose at share 1.
    :param share: where between them.
    :return: (4, 4) ``T_odom_base`` [m].
    """
    T = np.eye(4)
    T[:3, :3] = _rotation(_slerp(before.quaternion, after.quaternion, share))
    T[:3, 3] = before.position + share * (after.position - before.position)
    return T


def _slerp(a: Vector, b: Vector, share: float) -> Vector:
    """Interpolate unit quaternions (Shoemake 1985)."""
    cosine = float(a @ b)
    if cosine < 0:  # q and -q are the same rotation; the nearer one gives the shorter arc
        b, cosine = -b, -cosine
    if cosine > PARALLEL:
        mixed = (1 - share) * a + share * b
    else:
        angle = np.arccos(cosine)
        mixed = (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
    return np.asarray(mixed / np.linalg.norm(mixed))


def _rotation(q: Vector) -> Vector:
    """Matrix (3, 3) of a unit quaternion."""
    x, y, z, w = q
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]])
