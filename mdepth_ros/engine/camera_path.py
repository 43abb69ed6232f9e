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

"""The camera's path, chained from its motions between frames."""

import cv2
from mdepth_ros.engine.frames import DepthEstimate
import numpy as np
from numpy.typing import NDArray

# REP 103: from the optical frame (x right, y down, z forward) to x forward, y left, z up.
BODY_OPTICAL = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]], dtype=np.float64)
# Nobody measured it, and consumers refuse zeros: 10 cm, 0.1 rad.
VARIANCE = 0.01
# By which RTAB-Map knows that the way here is lost.
UNKNOWN = 9999.0


class CameraPath:
    """
    The camera's pose since the first image that was wanted.

    :ivar T_first_camera: (4, 4) pose in the optical frame of that image [m].
    :ivar twist: (6,) velocity in the camera's frame, linear [m/s] and angular [rad/s].
    :ivar variance: of each component of pose and twist [m^2, rad^2, m^2/s^2, rad^2/s^2].
    :ivar length_m: length of the path [m].
    """

    def __init__(self) -> None:
        self.T_first_camera = np.eye(4)
        self.twist = np.zeros(6)
        self.variance = UNKNOWN
        self.length_m = 0.0

    def add(self, estimate: DepthEstimate) -> None:
        """Append one motion; without one the camera stays where it is, with UNKNOWN variance."""
        self.twist, self.variance = np.zeros(6), UNKNOWN
        if estimate.T_previous_target is None or estimate.previous_stamp_ns is None:
            return
        T = estimate.T_previous_target.cpu().double().numpy()
        elapsed_s = (estimate.stamp_ns - estimate.previous_stamp_ns) * 1e-9
        self.T_first_camera = self.T_first_camera @ T
        # Rounding of many products would let the rotation shear.
        u, _, vt = np.linalg.svd(self.T_first_camera[:3, :3])
        self.T_first_camera[:3, :3] = u @ vt
        R, t = T[:3, :3], T[:3, 3]
        self.length_m += float(np.linalg.norm(t))
        self.twist = np.concatenate([R.T @ t, _rotation_vector(R)]) / elapsed_s
        self.variance = VARIANCE

    @property
    def T_odom_camera(self) -> NDArray[np.float64]:
        """(4, 4) pose in a frame that starts where the camera did, x forward and z up [m]."""
        T = self.T_first_camera.copy()
        T[:3] = BODY_OPTICAL @ T[:3]
        return T


def quaternion(R: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """
    Convert a rotation.

    :param R: (3, 3) rotation.
    :return: x, y, z, w of the unit quaternion.
    """
    vector = _rotation_vector(R)
    angle = float(np.linalg.norm(vector))
    # sin(angle / 2) / angle, which is np.sinc without its pi.
    x, y, z = (vector * 0.5 * np.sinc(angle / (2 * np.pi))).tolist()
    return x, y, z, float(np.cos(angle / 2))


def _rotation_vector(R: NDArray[np.float64]) -> NDArray[np.float64]:
    """Axis times angle [rad]."""
    return np.asarray(cv2.Rodrigues(R)[0].ravel(), np.float64)
