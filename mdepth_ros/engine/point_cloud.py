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

"""Depth to points: the organised cloud of all pixels, and the thin ones for navigation."""

from dataclasses import dataclass

from mdepth_ros.engine.flying_pixels import flying_margin
from mdepth_ros.engine.voxel_grid import cell_numbers, first_in_cells, indices_from, MAX_CELLS
import torch
from torch import Tensor

# A depth of 0 is no point [m].
SMALLEST_RANGE = 1e-6


@dataclass(frozen=True)
class CloudFilter:
    """
    Which points a cloud for navigation keeps.

    :param stride: keep every n-th pixel in both directions.
    :param voxel_size: edge of the grid of which each cell keeps one point [m]; 0 is no grid.
    :param min_range: nearest distance from the camera's centre [m].
    :param max_range: farthest distance from the camera's centre [m].
    :param min_confidence: lowest confidence, in [0, 1].
    :param edge_tolerance: a pixel on the edge of an object goes if it is off the surfaces on both
        sides by more than this share of its inverse depth; 1 keeps all.
    """

    stride: int = 4
    voxel_size: float = 0.0
    min_range: float = 0.1
    max_range: float = 10.0
    min_confidence: float = 0.0
    edge_tolerance: float = 0.1

    def __post_init__(self) -> None:
        problems = []
        if self.stride < 1:
            problems.append(f'stride must be >= 1, got {self.stride}')
        if not self.voxel_size >= 0.0:
            problems.append(f'voxel_size must be >= 0, got {self.voxel_size}')
        if not 0.0 <= self.min_range < self.max_range:
            problems.append(f'need 0 <= min_range < max_range, '
                            f'got {self.min_range} and {self.max_range}')
        if not 0.0 <= self.min_confidence <= 1.0:
            problems.append(f'min_confidence must be in [0, 1], got {self.min_confidence}')
        if not self.edge_tolerance > 0.0:
            problems.append(f'edge_tolerance must be > 0, got {self.edge_tolerance}')
        if self.voxel_size and self.max_range / self.voxel_size > MAX_CELLS:
            problems.append(f'voxel_size {self.voxel_size} is too fine for {self.max_range} m')
        if problems:
            raise ValueError('CloudFilter: ' + '; '.join(problems))


def organised_points(depth: Tensor, inv_K: Tensor) -> Tensor:
    """
    Lift every pixel to a point.

    :param depth: (1, 1, H, W) depth [m]; NaN invalid, +Inf beyond range, -Inf too close.
    :param inv_K: (3, 3) inverse intrinsics at this resolution [1/px].
    :return: (3, H, W) points [m]; all NaN where depth is not finite.
    :raises ValueError: if a shape differs from the ones above.
    """
    _check(depth, inv_K)
    points = depth.new_empty(3, *depth.shape[2:])
    x, y, z = points
    # An infinite depth times a ray is a mix of Inf and NaN that some readers take for a point;
    # added to 0 times itself it is NaN, which takes a CPU a tenth of the time of a mask.
    torch.mul(depth[0, 0], 0, out=z).add_(depth[0, 0])
    for coordinate, ray in zip((x, y), _rays(depth, inv_K, 1)):
        torch.mul(z, ray, out=coordinate)
    return points


def navigation_points(
    depth: Tensor,
    inv_K: Tensor,
    colours: Tensor,
    confidence: Tensor | None,
    keep: CloudFilter,
) -> tuple[Tensor, Tensor]:
    """
    Lift the pixels that a costmap should see.

    :param depth: (1, 1, H, W) depth [m]; NaN invalid, +Inf beyond range, -Inf too close.
    :param inv_K: (3, 3) inverse intrinsics at this resolution [1/px].
    :param colours: (H, W, 3) uint8 colours at the same resolution.
    :param confidence: (1, 1, H, W) in [0, 1]; None where there is none. NaN counts as none at all.
    :param keep: which points to keep. Of a cell of the grid it is the first one, row by row.
    :return: (N, 3) finite points [m] and their (N, 3) uint8 colours; N may be 0.
    :raises ValueError: if a shape differs from the ones above.
    """
    _check(depth, inv_K, confidence)
    H, W = depth.shape[-2:]
    if tuple(colours.shape) != (H, W, 3):
        raise ValueError(f'colours must be ({H}, {W}, 3), got {tuple(colours.shape)}')
    z = depth[0, 0, ::keep.stride, ::keep.stride]
    ray_x, ray_y = _rays(depth, inv_K, keep.stride)
    distance = z * _length(ray_x, ray_y)
    margin = _margin(depth, distance, confidence, keep)
    torch.minimum(margin, keep.max_range - distance, out=margin)
    if keep.voxel_size:
        cells = cell_numbers(z, (ray_x, ray_y), margin, keep.voxel_size, keep.max_range)
        index = first_in_cells(cells)
    else:
        index = indices_from(margin, 0.0)
    return (_points(z, ray_x, ray_y, index),
            colours[::keep.stride, ::keep.stride].reshape(-1, 3).index_select(0, index))


def clearing_points(
    depth: Tensor, inv_K: Tensor, confidence: Tensor | None, keep: CloudFilter
) -> Tensor:
    """
    End a ray at each trusted pixel: what lies before it is free.

    A pixel beyond ``max_range``, or beyond every range, ends its ray at that distance. One that is
    too close or invalid, of low confidence, or between two surfaces says nothing.

    :param depth: (1, 1, H, W) depth [m]; NaN invalid, +Inf beyond range, -Inf too close.
    :param inv_K: (3, 3) inverse intrinsics at this resolution [1/px].
    :param confidence: (1, 1, H, W) in [0, 1]; None where there is none. NaN counts as none at all.
    :param keep: which rays to keep; there is no grid of rays, ``voxel_size`` is not used.
    :return: (N, 3) finite points [m]; N may be 0.
    :raises ValueError: if a shape differs from the ones above.
    """
    _check(depth, inv_K, confidence)
    z = depth[0, 0, ::keep.stride, ::keep.stride]
    ray_x, ray_y = _rays(depth, inv_K, keep.stride)
    length = _length(ray_x, ray_y)
    index = indices_from(_margin(depth, z * length, confidence, keep), 0.0)
    end = torch.minimum(z, keep.max_range / length)
    return _points(end, ray_x, ray_y, index)


def _margin(
    depth: Tensor, distance: Tensor, confidence: Tensor | None, keep: CloudFilter
) -> Tensor:
    """
    By how much pixels (h, w) pass all but the farthest range; those below 0 or NaN do not.

    Differences, as on a CPU each comparison takes as long as four of them.
    """
    margin = flying_margin(depth[0, 0], keep.edge_tolerance, keep.stride)
    torch.minimum(margin, distance - max(keep.min_range, SMALLEST_RANGE), out=margin)
    if confidence is not None:
        sure = confidence[0, 0, ::keep.stride, ::keep.stride] - keep.min_confidence
        torch.minimum(margin, sure, out=margin)
    return margin


def _points(z: Tensor, ray_x: Tensor, ray_y: Tensor, index: Tensor) -> Tensor:
    """Lift some pixels (N) of (h, w): (N, 3)."""
    points = z.new_empty(len(index), 3)
    for axis, plane in enumerate((z * ray_x, z * ray_y, z)):
        torch.index_select(plane.reshape(-1), 0, index, out=points[:, axis])
    return points


def _rays(depth: Tensor, inv_K: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Points at depth 1 of every n-th pixel: x (h, w) and y (h, 1); K is upper triangular."""
    H, W = depth.shape[-2:]
    u = torch.arange(0, W, stride, dtype=depth.dtype, device=depth.device)[None, :]
    v = torch.arange(0, H, stride, dtype=depth.dtype, device=depth.device)[:, None]
    ray_x = (inv_K[0, 0] * u + inv_K[0, 2]) + inv_K[0, 1] * v
    return ray_x, inv_K[1, 1] * v + inv_K[1, 2]


def _length(ray_x: Tensor, ray_y: Tensor) -> Tensor:
    """Distance (h, w) of points at depth 1 from the camera's centre."""
    return torch.addcmul(ray_y * ray_y + 1.0, ray_x, ray_x).sqrt_()


def _check(depth: Tensor, inv_K: Tensor, confidence: Tensor | None = None) -> None:
    """Refuse wrong shapes."""
    if depth.ndim != 4 or depth.shape[:2] != (1, 1):
        raise ValueError(f'depth must be (1, 1, H, W), got {tuple(depth.shape)}')
    if tuple(inv_K.shape) != (3, 3):
        raise ValueError(f'inv_K must be (3, 3), got {tuple(inv_K.shape)}')
    if confidence is not None and confidence.shape != depth.shape:
        raise ValueError(f'confidence must be {tuple(depth.shape)}, '
                         f'got {tuple(confidence.shape)}')
