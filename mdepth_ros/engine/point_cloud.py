"""Depth to points: the organised cloud of all pixels and the thin one for navigation."""

from dataclasses import dataclass

import torch
from torch import Tensor

# Voxel indices are packed three to an int64.
INDEX_BITS = 21


@dataclass(frozen=True)
class CloudFilter:
    """
    Which points the navigation cloud keeps.

    :param stride: keep every n-th pixel in both directions.
    :param voxel_size: edge of the grid whose cells are averaged [m]; 0 is no grid.
    :param min_range: nearest distance from the camera's centre [m].
    :param max_range: farthest distance from the camera's centre [m].
    :param min_confidence: lowest confidence, in [0, 1].
    :param max_depth_jump: largest change of depth to a neighbouring pixel, as a share of the
        nearer one; more is the edge of an object, where depth is smeared between two surfaces.
    """

    stride: int = 4
    voxel_size: float = 0.0
    min_range: float = 0.1
    max_range: float = 10.0
    min_confidence: float = 0.0
    max_depth_jump: float = 0.15

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
        if not self.max_depth_jump > 0.0:
            problems.append(f'max_depth_jump must be > 0, got {self.max_depth_jump}')
        if self.voxel_size and self.max_range / self.voxel_size >= 2 ** (INDEX_BITS - 1):
            problems.append(f'voxel_size {self.voxel_size} is too fine for {self.max_range} m')
        if problems:
            raise ValueError('CloudFilter: ' + '; '.join(problems))


def organised_points(depth: Tensor, inv_K: Tensor) -> Tensor:
    """
    Lift every pixel to a point.

    :param depth: (1, 1, H, W) depth [m]; NaN invalid, +Inf beyond range, -Inf too close.
    :param inv_K: (3, 3) inverse intrinsics at this resolution [1/px].
    :return: (H, W, 3) points [m]; all NaN where depth is not finite.
    :raises ValueError: if a shape differs from the ones above.
    """
    _check(depth, inv_K)
    ray_x, ray_y = _rays(depth, inv_K, 1)
    # An infinite depth times a ray is a mix of Inf and NaN that some readers take for a point.
    z = torch.where(depth.isfinite(), depth, torch.nan)[0, 0]
    # Written in place: backproject's planes would be interleaved in a second, slower pass.
    points = z.new_empty(*z.shape, 3)
    torch.mul(z, ray_x, out=points[..., 0])
    torch.mul(z, ray_y, out=points[..., 1])
    points[..., 2] = z
    return points


def navigation_points(
    depth: Tensor,
    inv_K: Tensor,
    colours: Tensor,
    confidence: Tensor | None,
    keep: CloudFilter,
) -> tuple[Tensor, Tensor]:
    """
    Lift the pixels a costmap should see.

    :param depth: (1, 1, H, W) depth [m]; NaN invalid, +Inf beyond range, -Inf too close.
    :param inv_K: (3, 3) inverse intrinsics at this resolution [1/px].
    :param colours: (H, W, 3) uint8 colours at the same resolution.
    :param confidence: (1, 1, H, W) in [0, 1]; None where there is none. NaN counts as none at all.
    :param keep: which points to keep.
    :return: (N, 3) finite points [m] and their (N, 3) uint8 colours; N may be 0.
    :raises ValueError: if a shape differs from the ones above.
    """
    _check(depth, inv_K)
    H, W = depth.shape[-2:]
    if tuple(colours.shape) != (H, W, 3):
        raise ValueError(f'colours must be ({H}, {W}, 3), got {tuple(colours.shape)}')
    if confidence is not None and confidence.shape != depth.shape:
        raise ValueError(f'confidence must be {tuple(depth.shape)}, '
                         f'got {tuple(confidence.shape)}')

    n = keep.stride
    z = depth[0, 0, ::n, ::n]
    ray_x, ray_y = _rays(depth, inv_K, n)
    distance = z * (ray_x * ray_x + ray_y * ray_y + 1.0).sqrt()
    # Also false for NaN, Inf and, as the depth is negative, -Inf.
    kept = (z > 0.0) & (distance >= keep.min_range) & (distance <= keep.max_range)
    kept &= ~depth_edges(depth, keep.max_depth_jump)[0, 0, ::n, ::n]
    if confidence is not None:
        kept &= confidence[0, 0, ::n, ::n] >= keep.min_confidence
    index = kept.view(-1).nonzero()[:, 0]  # (N)
    points = torch.stack([(z * ray_x).view(-1)[index], (z * ray_y).view(-1)[index],
                          z.reshape(-1)[index]], dim=1)
    point_colours = colours[::n, ::n].reshape(-1, 3).index_select(0, index)
    if keep.voxel_size:
        return voxel_means(points, point_colours, keep.voxel_size)
    return points, point_colours


def depth_edges(depth: Tensor, max_depth_jump: float) -> Tensor:
    """
    Find the pixels on both sides of a jump in depth.

    :param depth: (B, 1, H, W) depth [m]. A jump to Inf counts, one to NaN does not.
    :param max_depth_jump: largest change between neighbours, as a share of the nearer one.
    :return: (B, 1, H, W) bool.
    """
    edges = torch.zeros_like(depth, dtype=torch.bool)
    for dim in (2, 3):
        length = depth.shape[dim] - 1
        first, second = depth.narrow(dim, 0, length), depth.narrow(dim, 1, length)
        ratio = first / second
        # One ratio both ways: a NaN compares False.
        jump = (ratio > 1.0 + max_depth_jump) | (ratio < 1.0 / (1.0 + max_depth_jump))
        edges.narrow(dim, 0, length).logical_or_(jump)
        edges.narrow(dim, 1, length).logical_or_(jump)
    return edges


def voxel_means(points: Tensor, colours: Tensor, size: float) -> tuple[Tensor, Tensor]:
    """
    Replace the points of each cell of a grid by their mean.

    :param points: (N, 3) finite points [m], each coordinate below 2^20 cells.
    :param colours: (N, 3) uint8 colours.
    :param size: edge of a cell [m].
    :return: (M, 3) points [m] and (M, 3) uint8 colours, one per cell that has any.
    """
    x, y, z = (points / size).floor().to(torch.int64).add_(1 << (INDEX_BITS - 1)).unbind(dim=1)
    key = (x << 2 * INDEX_BITS) | (y << INDEX_BITS) | z
    _, cell, count = torch.unique(key, return_inverse=True, return_counts=True)
    both = torch.cat([points, colours.to(points.dtype)], dim=1)  # (N, 6)
    means = both.new_zeros(count.numel(), 6).index_add_(0, cell, both) / count[:, None]
    return means[:, :3].contiguous(), means[:, 3:].round().to(torch.uint8)


def _rays(depth: Tensor, inv_K: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Points at depth 1 of every n-th pixel: x (h, w) and y (h, 1); K is upper triangular."""
    H, W = depth.shape[-2:]
    u = torch.arange(0, W, stride, dtype=depth.dtype, device=depth.device)[None, :]
    v = torch.arange(0, H, stride, dtype=depth.dtype, device=depth.device)[:, None]
    return inv_K[0, 0] * u + inv_K[0, 1] * v + inv_K[0, 2], inv_K[1, 1] * v + inv_K[1, 2]


def _check(depth: Tensor, inv_K: Tensor) -> None:
    """Refuse wrong shapes."""
    if depth.ndim != 4 or depth.shape[:2] != (1, 1):
        raise ValueError(f'depth must be (1, 1, H, W), got {tuple(depth.shape)}')
    if tuple(inv_K.shape) != (3, 3):
        raise ValueError(f'inv_K must be (3, 3), got {tuple(inv_K.shape)}')
