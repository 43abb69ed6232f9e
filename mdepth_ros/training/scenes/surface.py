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

"""From hits to surfaces: normal, texture coordinates and the pixel's footprint on them."""

from dataclasses import dataclass

from mdepth_ros.training.scenes.cast import Hits, Rays
from mdepth_ros.training.scenes.shapes import Shape, Solid, STATIC
from mdepth_ros.training.scenes.world import Ground
import numpy as np
import torch
from torch import Tensor

# Rows of the table that pixels look their solid up in.
_COLUMNS = 21


@dataclass(frozen=True)
class Surface:
    """
    What each pixel shows.

    Each is (F, H, W): world normal ``nx``, ``ny``, ``nz``; ``texture`` row; position
    ``u``, ``v`` and footprint ``size_u``, ``size_v`` [m], to be divided by the tile [m];
    ``shift_u``, ``shift_v`` [repeats]; ``tint`` (F, 3, H, W); ``flat``: a horizontal face;
    ``moving`` (bool); ``aside`` [m] to the left of the road's middle, NaN off the ground.
    """

    nx: Tensor
    ny: Tensor
    nz: Tensor
    texture: Tensor
    u: Tensor
    v: Tensor
    size_u: Tensor
    size_v: Tensor
    tile_u: Tensor
    tile_v: Tensor
    shift_u: Tensor
    shift_v: Tensor
    tint: Tensor
    flat: Tensor
    moving: Tensor
    aside: Tensor


def solid_table(
    solids: list[Solid], ground: Ground, offsets: Tensor, yaws: Tensor
) -> Tensor:
    """
    Write down what the shading needs to know of each solid and band of ground at each frame.

    :param solids: N solids.
    :param ground: the ground, of G bands.
    :param offsets: (F, N, 3) their centres seen from the camera [m].
    :param yaws: (F, N) their yaws [rad].
    :return: (F, 21, N + G + 1); the last column of each frame stands for the sky.
    """
    F, N = yaws.shape
    rows = N + len(ground.textures) + 1
    fixed = np.zeros((rows, 16), dtype=np.float32)
    # Ground and sky: sizes, tiles and tints that divide and multiply harmlessly.
    fixed[:, :3] = fixed[:, 7:10] = fixed[:, 12:15] = 1.0
    for row, (texture, length, tint) in enumerate(
            zip(ground.textures, ground.tiles, ground.tints), start=N):
        fixed[row, 4:7], fixed[row, 7:10], fixed[row, 12:15] = texture, length, tint
    for n, solid in enumerate(solids):
        tile = solid.tile or tuple(2 * h for h in solid.half)
        # A stretched texture begins at the solid's edge, a repeated one anywhere.
        shift = (0.5, 0.5) if solid.tile is None else solid.shift
        fixed[n] = (*solid.half, solid.shape, *solid.textures, *tile, *shift, *solid.tint,
                    solid.track != STATIC)
    table = offsets.new_zeros(F, rows, _COLUMNS)
    table[:, :N, :3] = offsets
    table[:, :N, 3], table[:, :N, 4] = yaws.cos(), yaws.sin()
    table[:, :, 5:21] = torch.from_numpy(fixed).to(offsets.device)
    return table.transpose(1, 2).contiguous()


def find_surface(
    rays: Rays, hits: Hits, table: Tensor, road: 'RoadMap | None', x0: Tensor, y0: Tensor
) -> Surface:
    """
    Work out the surface that each pixel shows.

    :param rays: the rays of F frames.
    :param hits: their hits.
    :param table: from :func:`solid_table`.
    :param road: the road on the device, or None.
    :param x0: (F, 1, 1) the camera's x in the world [m].
    :param y0: (F, 1, 1) the camera's y in the world [m].
    :return: the surface; the sky's entries are finite and meaningless.
    """
    F, H, W = hits.depth.shape
    rows = table.shape[2]
    N = rows - 1 - (1 if road is None else len(road.edges) + 1)
    on_ground = hits.index == N
    off_solid = hits.index >= N
    depth = torch.where(hits.index <= N, hits.depth, 1.0)
    wx, wy, wz = depth * rays.x, depth * rays.y, depth * rays.z
    aside = torch.full_like(depth, torch.nan)
    if road is None:
        gu, gv, gc, gs = wx + x0, wy + y0, 1.0, 0.0
        row = hits.index
    else:
        gu, gv, gc, gs = road.coordinates(wx + x0, wy + y0)
        aside = torch.where(on_ground, gv, aside)
        band = torch.bucketize(gv.abs(), road.edges, out_int32=True)
        row = hits.index.masked_fill(hits.index > N, rows - 1) + band * on_ground
    first = torch.arange(F, dtype=torch.int32, device=table.device)[:, None, None] * rows
    columns = table.transpose(0, 1).reshape(_COLUMNS, F * rows)
    look = columns.index_select(1, (row + first).view(-1)).view(_COLUMNS, F, H, W)
    (rx, ry, rz, c, s, hx, hy, hz, shape, texture_x, texture_y, texture_z, tile_x, tile_y, tile_z,
     shift_u, shift_v) = look[:17]
    dx, dy, pz = wx - rx, wy - ry, wz - rz
    px, py = c * dx + s * dy, c * dy - s * dx
    # Which face: the coordinate that is largest relative to the size.
    ax, ay, az = (px / hx).abs(), (py / hy).abs(), (pz / hz).abs()
    is_round = shape > Shape.BOX
    rho = torch.hypot(px, py)
    side = torch.where(is_round, rho / hx, torch.maximum(ax, ay))
    flat = ((az > side) & (shape < Shape.ELLIPSOID)) | off_solid
    is_x = ax >= ay
    zero = torch.zeros_like(px)
    inverse_rho = 1 / rho.clamp(min=1e-6)
    lx = torch.where(is_round, px * inverse_rho, torch.where(is_x, px.sign(), zero))
    ly = torch.where(is_round, py * inverse_rho, torch.where(is_x, zero, py.sign()))
    # On an ellipsoid the normal leaves the horizontal; elsewhere this slope is zero.
    slope = torch.where(shape == Shape.ELLIPSOID, pz * inverse_rho * (hx / hz) ** 2, zero)
    shorten = torch.rsqrt(1 + slope * slope)
    tx, ty = c * lx - s * ly, s * lx + c * ly  # horizontal direction of the normal
    nx = torch.where(flat, zero, tx * shorten)
    ny = torch.where(flat, zero, ty * shorten)
    nz = torch.where(flat, torch.where(on_ground, 1.0, pz.sign()), slope * shorten)
    u = torch.where(flat, px, torch.where(is_round, torch.atan2(py, px) * hx,
                                          torch.where(is_x, py, px)))
    v = torch.where(flat, py, pz)
    texture = torch.where(flat, texture_z, torch.where(is_x, texture_x, texture_y))
    tile_u = torch.where(flat | is_round | ~is_x, tile_x, tile_y)
    tile_v = torch.where(flat, tile_y, tile_z)
    u, v = torch.where(on_ground, gu, u), torch.where(on_ground, gv, v)
    c, s = torch.where(on_ground, gc, c), torch.where(on_ground, gs, s)
    # Tangents: along the face horizontally, and upwards (on a horizontal face: along and across).
    ux, uy = torch.where(flat, c, -ty), torch.where(flat, s, tx)
    size_u, size_v = _footprint(rays, depth, nx, ny, nz, ux, uy, flat)
    return Surface(nx, ny, nz, texture, u, v, size_u, size_v, tile_u, tile_v, shift_u, shift_v,
                   look[17:20].transpose(0, 1), flat, look[20] > 0.5, aside)


class RoadMap:
    """
    Look-up of road coordinates on the device.

    :param ground: ground with a road.
    :param device: where to keep it.
    """

    def __init__(self, ground: Ground, device: torch.device) -> None:
        road = ground.road
        if road is None:
            raise ValueError('ground must have a road, got None')
        self.start, self.step = road.start, road.step
        columns = np.stack([road.y, road.s, np.cos(road.yaw), np.sin(road.yaw)])
        self.columns = torch.from_numpy(columns.astype(np.float32)).to(device)
        self.edges = torch.tensor(ground.edges, device=device)

    def coordinates(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """
        Along the road and to its left, good near the road where its curve is gentle.

        :param x: (F, H, W) in the world [m].
        :param y: (F, H, W) in the world [m].
        :return: along [m], left [m], cosine and sine of the road's heading, each (F, H, W).
        """
        place = ((x - self.start) / self.step).clamp(0, self.columns.shape[1] - 2)
        low = place.long()
        left = self.columns.index_select(1, low.view(-1)).view(4, *x.shape)
        right = self.columns.index_select(1, low.view(-1) + 1).view(4, *x.shape)
        middle, along, c, s = torch.lerp(left, right, (place - low)[None])
        aside = y - middle
        return along + aside * s, aside * c, c, s


def _footprint(
    rays: Rays, depth: Tensor, nx: Tensor, ny: Tensor, nz: Tensor, ux: Tensor, uy: Tensor,
    flat: Tensor,
) -> tuple[Tensor, Tensor]:
    """Extent of a pixel on its surface along both tangents [m]."""
    facing = nx * rays.x + ny * rays.y + nz * rays.z
    # At a grazing angle the footprint is unbounded; 0.002 keeps it finite.
    scale = 1 / torch.where(facing.abs() < 2e-3, 2e-3, facing)
    size_u, size_v = torch.zeros_like(depth), torch.zeros_like(depth)
    along_u, along_v = ux * rays.x + uy * rays.y, ux * rays.y - uy * rays.x
    for step in (rays.step_x, rays.step_y):
        x, y, z = (step[:, axis, None, None] for axis in range(3))
        # How far the ray's parameter moves, relatively, when the ray turns by one pixel.
        shift = (nx * x + ny * y + nz * z) * scale
        size_u += (ux * x + uy * y - shift * along_u).abs()
        size_v += torch.where(flat, ux * y - uy * x - shift * along_v, z - shift * rays.z).abs()
    return depth * size_u, depth * size_v
