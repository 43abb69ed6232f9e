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

"""Cast one ray per pixel centre against the solids and the ground."""

from dataclasses import dataclass, fields

from mdepth_ros.training.scenes.shapes import Shape, Solid
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

NEAR = 0.02  # nothing is seen nearer [m]
FAR = 200.0  # solids are not seen farther than this; the ground goes on [m]
# Keeps 1/0 out of the slab test; far below any direction that a pixel has.
_TINY = 1e-9
_CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
_EDGES = [(i, j) for i in range(8) for j in range(i + 1, 8)
          if np.abs(_CORNERS[i] - _CORNERS[j]).sum() == 2]


@dataclass(frozen=True)
class Rays:
    """
    Rays of F frames in world axes.

    ``x``, ``y``, ``z`` (F, H, W) have unit length along the optical axis, so that the ray
    parameter is the depth [m]. ``step_x`` and ``step_y`` (F, 3) are their change per column and
    per row; ``height`` (F, 1, 1) is the camera's above ground [m].
    """

    x: Tensor
    y: Tensor
    z: Tensor
    step_x: Tensor
    step_y: Tensor
    height: Tensor


@dataclass(frozen=True)
class Hits:
    """
    What the rays meet first.

    ``depth`` (F, H, W) [m], +inf in the sky, and ``index`` (F, H, W) int32: 0..N-1 a solid, N the
    ground, N + 1 the sky.
    """

    depth: Tensor
    index: Tensor


def take_rays(rays: Rays, part: slice) -> Rays:
    """Return the rays of some frames."""
    return Rays(**{field.name: getattr(rays, field.name)[part] for field in fields(Rays)})


def take_hits(hits: Hits, part: slice) -> Hits:
    """Return the hits of some frames."""
    return Hits(hits.depth[part], hits.index[part])


def make_rays(T_world_camera: Tensor, K: Tensor, height: int, width: int) -> Rays:
    """
    Build the rays of all pixel centres.

    :param T_world_camera: (F, 4, 4) poses, world z up.
    :param K: (3, 3) intrinsics [px], on the same device.
    :param height: rows.
    :param width: columns.
    :return: the rays.
    """
    R = T_world_camera[:, :3, :3]
    x = (torch.arange(width, device=K.device, dtype=K.dtype) - K[0, 2]) / K[0, 0]
    y = (torch.arange(height, device=K.device, dtype=K.dtype) - K[1, 2]) / K[1, 1]
    rays = (R[:, :, 0, None, None] * x + R[:, :, 1, None, None] * y[:, None]
            + R[:, :, 2, None, None])  # (F, 3, H, W)
    # One contiguous plane per axis: every later step works on single axes.
    planes = [rays[:, axis].contiguous() for axis in range(3)]
    return Rays(*planes, step_x=R[:, :, 0] / K[0, 0], step_y=R[:, :, 1] / K[1, 1],
                height=T_world_camera[:, 2, 3, None, None])


def cast(
    rays: Rays, solids: list[Solid], offsets: Tensor, yaws: Tensor,
    rectangles: NDArray[np.int64],
) -> Hits:
    """
    Find the nearest surface along every ray.

    :param rays: the rays of F frames.
    :param solids: N solids.
    :param offsets: (F, N, 3) their centres seen from the camera, in world axes [m].
    :param yaws: (F, N) their yaws [rad].
    :param rectangles: (N, 4) left, top, right, bottom [px] that may show each, end excluded.
    :return: the hits.
    """
    N = len(solids)
    inverse_z = 1 / (rays.z + _TINY)
    flat = rays.x * rays.x + rays.y * rays.y  # squared horizontal length, (F, H, W)
    ground = -rays.height * inverse_z
    on_ground = ground > NEAR
    ground = torch.where(on_ground, ground, torch.inf)
    # Per pixel, so that what is seen does not depend on the other frames of the chunk.
    depth = ground.clamp(max=FAR)
    index = torch.full_like(ground, N + 1, dtype=torch.int32).masked_fill_(on_ground, N)
    for n, (solid, (left, top, right, bottom)) in enumerate(zip(solids, rectangles)):
        window = (slice(None), slice(top, bottom), slice(left, right))
        o = -offsets[:, n, :, None, None]  # (F, 3, 1, 1) the camera, seen from the solid
        near_z, far_z = _slab(o[:, 2], inverse_z[window], solid.half[2])
        if solid.shape is Shape.BOX:
            near, far = _box(rays, window, o, yaws[:, n, None, None], solid.half)
        elif solid.shape is Shape.CYLINDER:
            near, far = _cylinder(rays.x[window], rays.y[window], flat[window], o, solid.half[0])
        else:
            near, far = _ellipsoid(rays.x[window], rays.y[window], rays.z[window], flat[window],
                                   o, solid.half)
        near = torch.maximum(near, near_z)
        best = depth[window]
        seen = (near < torch.minimum(far, far_z)) & (near < best) & (near > NEAR)
        best.copy_(torch.where(seen, near, best))
        index[window].masked_fill_(seen, n)
    return Hits(torch.where(index < N, depth, ground), index)


def screen_rectangles(
    solids: list[Solid], centres: NDArray[np.float64], yaws: NDArray[np.float64],
    T_world_camera: NDArray[np.float64], K: NDArray[np.float64], height: int, width: int,
) -> NDArray[np.int64]:
    """
    Bound each solid on the screen over all given frames.

    :param solids: N solids.
    :param centres: (F, N, 3) in the world [m].
    :param yaws: (F, N) [rad].
    :param T_world_camera: (F, 4, 4) poses.
    :param K: (3, 3) intrinsics [px].
    :param height: rows.
    :param width: columns.
    :return: (N, 4) left, top, right, bottom [px]; empty (left >= right) if out of sight.
    """
    half = np.array([solid.half for solid in solids]).reshape(-1, 3)
    corners = _CORNERS * half[:, None]  # (N, 8, 3)
    c, s = np.cos(yaws)[..., None], np.sin(yaws)[..., None]
    turned = np.stack([c * corners[..., 0] - s * corners[..., 1],
                       s * corners[..., 0] + c * corners[..., 1],
                       np.broadcast_to(corners[..., 2], (*c.shape[:2], 8))], axis=-1)
    world = turned + (centres - T_world_camera[:, None, :3, 3])[:, :, None]
    camera = np.einsum('fji,fnkj->fnki', T_world_camera[:, :3, :3], world)  # (F, N, 8, 3)
    # A box that reaches behind the image plane is bounded by where its edges cross that plane.
    first, second = (camera[:, :, [edge[i] for edge in _EDGES]] for i in (0, 1))
    rise = second[..., 2] - first[..., 2]
    share = (NEAR - first[..., 2]) / np.where(np.abs(rise) < 1e-12, 1.0, rise)
    crossing = first + share[..., None] * (second - first)
    points = np.concatenate([camera, crossing], axis=2)  # (F, N, 20, 3)
    usable = np.concatenate([camera[..., 2] >= NEAR, (share > 0) & (share < 1)], axis=2)
    usable &= camera[..., 2].min(axis=2, keepdims=True) < FAR
    z = np.where(usable, np.maximum(points[..., 2], NEAR), 1.0)
    bounds = np.empty((len(solids), 4), dtype=np.int64)
    for axis, size in ((0, width), (1, height)):
        pixels = K[axis, axis] * points[..., axis] / z + K[axis, 2]
        low = np.where(usable, pixels, np.inf).min(axis=(0, 2))
        high = np.where(usable, pixels, -np.inf).max(axis=(0, 2))
        # One pixel of margin against rounding.
        bounds[:, axis] = np.clip(np.floor(low) - 1, 0, size)
        bounds[:, axis + 2] = np.clip(np.ceil(high) + 2, 0, size)
    return bounds


def _slab(origin: Tensor, inverse: Tensor, half: float) -> tuple[Tensor, Tensor]:
    """Where rays enter and leave |coordinate| < half."""
    middle, reach = -origin * inverse, half * inverse.abs()
    return middle - reach, middle + reach


def _box(
    rays: Rays, window: tuple[slice, slice, slice], o: Tensor, yaw: Tensor,
    half: tuple[float, float, float],
) -> tuple[Tensor, Tensor]:
    """Where rays enter and leave the sides of a box."""
    c, s = yaw.cos(), yaw.sin()
    x, y = rays.x[window], rays.y[window]
    near_x, far_x = _slab(c * o[:, 0] + s * o[:, 1], 1 / (c * x + s * y + _TINY), half[0])
    near_y, far_y = _slab(c * o[:, 1] - s * o[:, 0], 1 / (c * y - s * x + _TINY), half[1])
    return torch.maximum(near_x, near_y), torch.minimum(far_x, far_y)


def _cylinder(
    x: Tensor, y: Tensor, flat: Tensor, o: Tensor, radius: float
) -> tuple[Tensor, Tensor]:
    """Where rays enter and leave an upright cylinder; NaN where they miss."""
    across = o[:, 0] * y - o[:, 1] * x
    # From the ray's distance to the axis: b^2 - a c would cancel for a thin far pole.
    root = (flat * radius**2 - across * across).sqrt()
    middle = -(o[:, 0] * x + o[:, 1] * y)
    return (middle - root) / flat, (middle + root) / flat


def _ellipsoid(
    x: Tensor, y: Tensor, z: Tensor, flat: Tensor, o: Tensor, half: tuple[float, float, float]
) -> tuple[Tensor, Tensor]:
    """Where rays enter and leave an ellipsoid; NaN where they miss."""
    # Squeeze the vertical axis until it is a sphere; the ray parameter stays the same.
    squeeze = half[0] / half[2]
    z, oz = z * squeeze, o[:, 2] * squeeze
    square = flat + z * z
    cross = ((o[:, 0] * y - o[:, 1] * x) ** 2 + (o[:, 1] * z - oz * y) ** 2
             + (oz * x - o[:, 0] * z) ** 2)
    root = (square * half[0] ** 2 - cross).sqrt()
    middle = -(o[:, 0] * x + o[:, 1] * y + oz * z)
    return (middle - root) / square, (middle + root) / square
