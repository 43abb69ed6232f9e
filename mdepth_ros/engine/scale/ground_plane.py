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

"""The ground in one depth image: a robust plane, or None where there is no ground to be seen."""

from dataclasses import dataclass
import math

from mdepth_ros.engine.scale.ratios import SIGMA_PER_MAD, SMALLEST_SIGMA, tukey_weight
import numpy as np
from numpy.typing import NDArray
from torch import Tensor
import torch.nn.functional as F

# Depth is averaged over cells, about so many in a row of the image.
COLUMNS = 64
LOWER_SHARE = 0.4  # of the image, where ground is looked for
HYPOTHESES = 200
ITERATIONS = 8
# Points whose depth is so near to the plane's lie on it.
AGREES = 0.15
# It is the ground if so many of the points in the lower image lie on it, if it covers so much of
# the lower image, and if hardly any lie below it: a table hides no floor behind its edge.
FEWEST_AGREEING = 0.45
FEWEST_COVERED = 0.4
MOST_BELOW = 0.1
BELOW = 0.3  # [heights]
NEAR = 5.0  # [heights], farther away a small error of the tilt looks like a hole
FARTHEST = 20.0  # [heights]


@dataclass(frozen=True)
class GroundPrior:
    """
    How the camera is mounted above the ground.

    ``pitch_deg`` [deg] is down from level; the pitch and the roll that are found may differ from
    that by ``tolerance_deg`` [deg]. Without it a wall, or a wall with some floor before it, would
    do as steep ground.
    """

    pitch_deg: float = 0.0
    tolerance_deg: float = 18.0

    def allows(self, planes: NDArray[np.float64]) -> NDArray[np.bool_]:
        """
        Tell which planes may be the ground.

        :param planes: (..., 3) normals from the camera to the planes, of any length.
        :return: (...).
        """
        pitch = math.radians(self.pitch_deg)
        x, y, z = np.moveaxis(planes, -1, 0)
        down = y * math.cos(pitch) + z * math.sin(pitch)
        ahead = z * math.cos(pitch) - y * math.sin(pitch)
        reach = down * math.tan(math.radians(self.tolerance_deg))
        allowed: NDArray[np.bool_] = (np.abs(ahead) <= reach) & (np.abs(x) <= reach)
        return allowed


def ground_height(
    depth: Tensor, valid: Tensor, K: Tensor, prior: GroundPrior
) -> float | None:
    """
    Measure how high the camera is above the ground.

    :param depth: (1, 1, H, W) depth, in any unit.
    :param valid: (1, 1, H, W) bool.
    :param K: (3, 3) intrinsics [px].
    :param prior: how the camera is mounted.
    :return: the height in the depth's unit; None where the ground is not to be seen.
    """
    rays, inverse_depth, lower = _cells(depth, valid, K)
    if lower.sum() < 3:
        return None
    points = rays / inverse_depth[:, None]
    plane = _fit(points[lower], prior)
    if plane is None:
        return None
    height = 1 / float(np.linalg.norm(plane))
    deviation = points @ plane - 1  # (N,) [heights], positive below the plane
    expected = rays @ plane * height  # (N,) height over depth
    seen = expected > 1 / FARTHEST
    agrees = np.abs(deviation) < AGREES
    on_it = int((agrees & lower & seen).sum())
    if (on_it < FEWEST_AGREEING * (lower & seen).sum()
            or (lower & seen).sum() < FEWEST_COVERED * lower.sum()
            or ((deviation > BELOW) & (expected > 1 / NEAR)).sum() > MOST_BELOW * on_it):
        return None
    return height * (1 + float(np.median(deviation[agrees & lower])))


def _cells(
    depth: Tensor, valid: Tensor, K: Tensor
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """
    Average the image over cells: (N, 3) rays, (N,) inverse depths, (N,) in the lower image.

    The inverse depth of a plane is linear over the image, so that averages lie on it, too.
    """
    size = max(depth.shape[-1] // COLUMNS, 1)
    good = valid & (depth > 0) & depth.isfinite()
    share = F.avg_pool2d(good.to(depth.dtype), size)
    summed = F.avg_pool2d((1 / depth).where(good, 0.0), size)
    cells, shares = summed[0, 0].cpu().double().numpy(), share[0, 0].cpu().double().numpy()
    k = K.cpu().double().numpy()
    y, x = np.nonzero((shares >= 0.5) & (cells > 0))
    centre = (size - 1) / 2
    pixels = np.stack([size * x + centre, size * y + centre, np.ones(len(x))])
    return (np.linalg.inv(k) @ pixels).T, cells[y, x] / shares[y, x], (
        y >= (1 - LOWER_SHARE) * cells.shape[0])


def _fit(points: NDArray[np.float64], prior: GroundPrior) -> NDArray[np.float64] | None:
    """
    Fit (3,) m with m . point = 1: the unit normal over the camera's height.

    The best of some planes through three points, then least squares with Tukey's weights. The
    residuals are relative errors of depth.
    """
    # Always the same draw: the same image gives the same answer.
    chosen = np.random.default_rng(0).integers(0, len(points), (HYPOTHESES, 3))
    normals = np.cross(points[chosen[:, 1]] - points[chosen[:, 0]],
                       points[chosen[:, 2]] - points[chosen[:, 0]])
    offsets = (normals * points[chosen[:, 0]]).sum(axis=1)
    usable = np.abs(offsets) > 1e-12 * np.linalg.norm(normals, axis=1)
    planes = normals[usable] / offsets[usable, None]
    planes = planes[prior.allows(planes)]
    if not len(planes):
        return None
    residuals = np.abs(points @ planes.T - 1)
    plane = planes[np.minimum(residuals, AGREES).sum(axis=0).argmin()]
    for _ in range(ITERATIONS):
        residual = points @ plane - 1
        near = np.abs(residual[np.abs(residual) < 2 * AGREES])
        if len(near) < 3:
            return None
        weight = tukey_weight(
            residual / max(SIGMA_PER_MAD * float(np.median(near)), SMALLEST_SIGMA))
        weighted = points * weight[:, None]
        plane = np.linalg.lstsq(weighted.T @ points, weighted.sum(axis=0), rcond=None)[0]
    return plane if prior.allows(plane) else None
