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

"""Pixels to points and back, and the warp of a source image into the target view."""

from mdepth_ros.geometry.intrinsics import invert_intrinsics
from mdepth_ros.geometry.product import exact_product
from mdepth_ros.geometry.shapes import require_shape
import torch
from torch import Tensor
import torch.nn.functional as F

# A point nearer than this to the image plane (or behind it) has no usable projection [m].
NEAREST_Z = 1e-6


def pixel_grid(height: int, width: int, like: Tensor) -> Tensor:
    """
    Homogeneous coordinates of all pixel centres.

    :param height: rows.
    :param width: columns.
    :param like: gives dtype and device.
    :return: (3, H, W) with x, y and 1 [px].
    """
    y, x = torch.meshgrid(
        torch.arange(height, dtype=like.dtype, device=like.device),
        torch.arange(width, dtype=like.dtype, device=like.device),
        indexing='ij',
    )
    return torch.stack([x, y, torch.ones_like(x)])


def backproject(depth: Tensor, inv_K: Tensor) -> Tensor:
    """
    Lift every pixel to a 3-D point in the camera's optical frame.

    :param depth: (B, 1, H, W) distance along the optical axis [m], not ray length.
    :param inv_K: (B, 3, 3) inverse intrinsics at this resolution [1/px].
    :return: (B, 3, H, W) points, x right, y down, z forward [m]; NaN where depth is NaN.
    :raises ValueError: if a shape differs from the ones above.
    """
    require_shape('depth', depth, ('B', 1, 'H', 'W'))
    B, _, H, W = depth.shape
    require_shape('inv_K', inv_K, (B, 3, 3))
    rays = exact_product(inv_K, pixel_grid(H, W, depth).reshape(3, H * W))  # (B, 3, HW)
    return depth * rays.view(B, 3, H, W)


def project(points: Tensor, K: Tensor) -> tuple[Tensor, Tensor]:
    """
    Project points of the camera's optical frame to pixels.

    :param points: (B, 3, H, W) points [m].
    :param K: (B, 3, 3) intrinsics [px].
    :return: (B, 2, H, W) x and y [px], and (B, 1, H, W) valid: in front of the camera. Where not
        valid the pixels are meaningless, though finite where the points are.
    :raises ValueError: if a shape differs from the ones above.
    """
    require_shape('points', points, ('B', 3, 'H', 'W'))
    B, _, H, W = points.shape
    require_shape('K', K, (B, 3, 3))
    return onto_image(exact_product(K, points.reshape(B, 3, H * W)).view(B, 3, H, W))


def onto_image(seen: Tensor) -> tuple[Tensor, Tensor]:
    """
    Divide homogeneous pixels by their depth.

    :param seen: (B, 3, H, W), the last of the three is the depth [m].
    :return: (B, 2, H, W) x and y [px], and (B, 1, H, W) valid, as from :func:`project`.
    """
    z = seen[:, 2:]
    valid = z > NEAREST_Z
    return seen[:, :2] / torch.where(valid, z, torch.ones_like(z)), valid


def transform(T: Tensor, points: Tensor) -> Tensor:
    """
    Move points from frame b to frame a.

    :param T: (B, 4, 4) motions ``T_a_b``.
    :param points: (B, 3, H, W) points in frame b [m].
    :return: (B, 3, H, W) points in frame a [m].
    :raises ValueError: if a shape differs from the ones above.
    """
    require_shape('points', points, ('B', 3, 'H', 'W'))
    B, _, H, W = points.shape
    require_shape('T', T, (B, 4, 4))
    moved = exact_product(T[:, :3, :3], points.reshape(B, 3, H * W)) + T[:, :3, 3:]
    return moved.view(B, 3, H, W)


def inside(pixels: Tensor, height: int, width: int, slack: float = 0.0) -> Tensor:
    """
    Tell which coordinates lie between the outermost pixel centres.

    :param pixels: (B, 2, ...) x and y [px].
    :param height: rows of the image.
    :param width: columns of the image.
    :param slack: how far outside still counts [px].
    :return: (B, 1, ...) bool.
    """
    x, y = pixels[:, :1], pixels[:, 1:]
    return ((x >= -slack) & (x <= width - 1 + slack)
            & (y >= -slack) & (y <= height - 1 + slack))


def sample(image: Tensor, pixels: Tensor, padding_mode: str = 'zeros') -> Tensor:
    """
    Read an image at real-valued pixel coordinates, bilinearly.

    :param image: (B, C, H, W).
    :param pixels: (B, 2, h, w) x and y in the image [px].
    :param padding_mode: ``zeros`` or ``border``, what lies outside.
    :return: (B, C, h, w); with ``border`` NaN where a coordinate is NaN.
    """
    if padding_mode == 'border':
        # torch would clamp NaN to the border, and its gradient read memory that is not its own.
        unknown = pixels.isnan().any(dim=1, keepdim=True)
        read = _read(image, torch.where(unknown, torch.zeros_like(pixels), pixels), 'border')
        return torch.where(unknown, torch.full_like(read, torch.nan), read)
    return _read(image, pixels, padding_mode)


def _read(image: Tensor, pixels: Tensor, padding_mode: str) -> Tensor:
    """Do the work of :func:`sample`."""
    H, W = image.shape[-2:]
    # max(.., 1): a single row or column has its only pixel at the grid's centre.
    x = pixels[:, :1] * (2.0 / max(W - 1, 1)) - 1.0
    y = pixels[:, 1:] * (2.0 / max(H - 1, 1)) - 1.0
    # A transposition compiles to faster code than stacking x and y last.
    grid = torch.cat([x, y], dim=1).permute(0, 2, 3, 1)
    return F.grid_sample(image, grid, mode='bilinear', padding_mode=padding_mode,
                         align_corners=True)


def seen_from(
    depths: Tensor, K: Tensor, inv_K_target: Tensor, T_source_target: Tensor
) -> Tensor:
    """
    Where the source sees each target pixel, at each of many depths.

    What is turned and projected are the rays, once, not the points.

    :param depths: (B, D, h, w) of the target [m].
    :param K: (B, 3, 3) intrinsics of the source [px].
    :param inv_K_target: (B, 3, 3) inverse intrinsics of the target [1/px].
    :param T_source_target: (B, 4, 4) motion from target to source.
    :return: (B, 3, D h, w) homogeneous pixels, the depths below each other: the last of the three
        is the depth in the source [m].
    :raises ValueError: if a shape differs from the ones above.
    """
    require_shape('depths', depths, ('B', 'D', 'h', 'w'))
    B, D, h, w = depths.shape
    require_shape('K', K, (B, 3, 3))
    require_shape('inv_K_target', inv_K_target, (B, 3, 3))
    require_shape('T_source_target', T_source_target, (B, 4, 4))
    to_rays = exact_product(exact_product(K, T_source_target[:, :3, :3]), inv_K_target)
    rays = exact_product(to_rays, pixel_grid(h, w, depths).reshape(3, h * w))
    shift = exact_product(K, T_source_target[:, :3, 3:])
    seen = rays.view(B, 3, 1, h, w) * depths.unsqueeze(1) + shift.view(B, 3, 1, 1, 1)
    return seen.reshape(B, 3, D * h, w)


def reproject(
    depth: Tensor, K_source: Tensor, inv_K_target: Tensor, T_source_target: Tensor
) -> tuple[Tensor, Tensor]:
    """
    Where each target pixel lands in the source image.

    :param depth: (B, 1, H, W) depth of the target [m].
    :param K_source: (B, 3, 3) intrinsics of the source [px].
    :param inv_K_target: (B, 3, 3) inverse intrinsics of the target [1/px].
    :param T_source_target: (B, 4, 4) motion from target to source.
    :return: (B, 2, H, W) pixels in the source, and (B, 1, H, W) valid: in front of the source.
    :raises ValueError: if a shape differs from the ones above.
    """
    require_shape('depth', depth, ('B', 1, 'H', 'W'))
    return onto_image(seen_from(depth, K_source, inv_K_target, T_source_target))


def sweep(depths: Tensor, K: Tensor, T_source_target: Tensor) -> tuple[Tensor, Tensor]:
    """
    Where each target pixel lands in the source image at each of many depths.

    :param depths: (B, D, h, w) of the target [m].
    :param K: (B, 3, 3) intrinsics of both images [px].
    :param T_source_target: (B, 4, 4) motion from target to source.
    :return: (B, 2, D h, w) pixels in the source, the depths below each other, and (B, 1, D h, w)
        valid: in front of the source. Where not valid the pixels are meaningless, though finite
        where the depths are.
    :raises ValueError: if a shape differs from the ones above.
    """
    return onto_image(seen_from(depths, K, invert_intrinsics(K), T_source_target))


def warp(
    source: Tensor, depth: Tensor, K: Tensor, inv_K: Tensor, T_source_target: Tensor
) -> tuple[Tensor, Tensor]:
    """
    Bring the source image into the target view.

    :param source: (B, C, H, W) source image.
    :param depth: (B, 1, H, W) depth of the target [m].
    :param K: (B, 3, 3) intrinsics of both images [px].
    :param inv_K: (B, 3, 3) their inverse [1/px].
    :param T_source_target: (B, 4, 4) motion from target to source.
    :return: (B, C, H, W) warped image with the border repeated, and (B, 1, H, W) valid: in front
        of the source camera and inside its image.
    """
    H, W = source.shape[-2:]
    pixels, in_front = reproject(depth, K, inv_K, T_source_target)
    return sample(source, pixels, padding_mode='border'), in_front & inside(pixels, H, W)
