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

"""The motion since the frame before, by points whose depth a wider view of them has told."""

from mdepth_ros.engine.epipolar import Array, pixel_rays, triangulate
from mdepth_ros.engine.lifted_tracks import Lifted
from mdepth_ros.engine.resection import solve_motion, unexplained
from mdepth_ros.engine.tracked_motion import AGREES, FEWEST_TRACKS
import numpy as np

# What the translation moves by less tells no depth [px of the working image].
LEAST_PARALLAX = 0.5


def step_motion(lifted: Lifted, T_wide_target: Array) -> Array | None:
    """
    Solve for a short step from a wide one.

    From one image to the next points hardly move: any short translation explains them, and what
    stands still in the picture, as dirt on the lens and the car ahead do, asks for none. Over a
    wider step they have moved, and have a depth at its scale by triangulation; the short step is
    the motion that brings these depths to where they are seen.

    :param lifted: one target; x, y in it, in the frame before and in the wider source.
    :param T_wide_target: (1, 4, 4) motion to the wider source.
    :return: (1, 4, 4) motion to the frame before, at the scale of the wider one; None where too
        few points are seen in all three and tell a depth.
    """
    x, points, K = lifted
    before, wide, rays = x[:, 2:4], x[:, 4:], points / points[:, 2:]
    far = K @ T_wide_target[:, :3, :3] @ rays
    parallax = np.linalg.norm(wide - far[:, :2] / far[:, 2:], axis=1)
    z = triangulate(T_wide_target[0], rays[0], pixel_rays(wide, K)[0])
    fits = unexplained(points, wide, T_wide_target, K) < AGREES
    known = fits & (parallax > LEAST_PARALLAX) & (z > 0)
    if np.count_nonzero(known) < FEWEST_TRACKS:
        return None
    return solve_motion(rays * z, before, known, K)
