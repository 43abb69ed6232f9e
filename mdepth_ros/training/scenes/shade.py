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

"""Colours of surfaces and sky."""

from mdepth_ros.training.scenes.atlas import Atlas
from mdepth_ros.training.scenes.cast import Hits, Rays
from mdepth_ros.training.scenes.surface import Surface
from mdepth_ros.training.scenes.textures import Texture
from mdepth_ros.training.scenes.world import Ground, Light
import torch
from torch import Tensor

_LINE = 0.07  # half the width of a painted line [m]
_DASH = 9.0  # one dash and one gap [m]


def shade(
    rays: Rays, hits: Hits, surface: Surface, light: Light, ground: Ground, atlas: Atlas,
    camera: Tensor, solids: int, grain_tile: float, grain: bool,
) -> Tensor:
    """
    Colour every pixel.

    :param rays: the rays of F frames.
    :param hits: their hits.
    :param surface: the surfaces hit.
    :param light: the light.
    :param ground: for the painted lines.
    :param atlas: the textures.
    :param camera: (F, 3, 1, 1) positions in the world [m].
    :param solids: number of solids in ``hits``.
    :param grain_tile: repeat of the grain over all surfaces [m].
    :param grain: whether there is any.
    :return: (F, 3, H, W), not clipped.
    """
    f = surface
    sky = hits.index == solids + 1
    # The sky is a plane far above.
    lift = 1 / (rays.z.clamp(min=0) + 0.12)
    u = torch.where(sky, rays.x * lift * 0.25, f.u / f.tile_u + f.shift_u)
    # Rows of a texture run downwards.
    v = torch.where(sky, rays.y * lift * 0.25, -(f.v / f.tile_v + f.shift_v))
    size_u = torch.where(sky, 0.004, f.size_u / f.tile_u)
    size_v = torch.where(sky, 0.004, f.size_v / f.tile_v)
    texture = f.texture.masked_fill(sky, float(Texture.CLOUDS))
    colour = atlas.read(texture, u, v, size_u, size_v) * f.tint
    if grain:
        scale = 1 / grain_tile
        colour = colour * (2 * atlas.read_nearest_level(
            Texture.GRAIN, f.u * scale, f.v * scale, f.size_u * scale, f.size_v * scale))
    if ground.marked:
        colour = _paint_lines(colour, f)
    lit = colour * _light(rays, hits, f, light, camera)[:, None]
    horizon = colour.new_tensor(light.horizon)[:, None, None]
    clear = torch.where(sky, 1 - torch.exp(-6 * rays.z.clamp(min=0)),
                        torch.exp(-light.haze * hits.depth))[:, None]
    return torch.lerp(horizon, torch.where(sky[:, None], colour, lit), clear)


def _light(rays: Rays, hits: Hits, f: Surface, light: Light, camera: Tensor) -> Tensor:
    """Brightness (F, H, W) from the sun or the lamp, the surroundings and nearby ground."""
    z = rays.height + hits.depth * rays.z
    if light.sun is not None:
        facing = f.nx * light.sun[0] + f.ny * light.sun[1] + f.nz * light.sun[2]
        direct = light.direct * facing.clamp(min=0)
    else:
        lamp = camera.new_tensor(light.lamp)[:, None, None]
        x, y, up = (lamp - camera).unbind(dim=1)
        x, y, up = x - hits.depth * rays.x, y - hits.depth * rays.y, up - hits.depth * rays.z
        square = x * x + y * y + up * up
        facing = (f.nx * x + f.ny * y + f.nz * up) * torch.rsqrt(square + 1e-3)
        direct = light.direct * facing.clamp(min=0) * 6 / (4 + square)
    ambient = light.ambient * (0.85 + 0.15 * f.nz)
    # Little light reaches the foot of a wall: without it things seem to float.
    foot = torch.where(f.flat, 0.0, torch.exp(-4 * z.clamp(min=0)))
    return (ambient + direct) * (1 - 0.35 * foot)


def _paint_lines(colour: Tensor, f: Surface) -> Tensor:
    """Paint lane lines, dashed in the middle; a line thinner than a pixel fades, not flickers."""
    def cover(distance: Tensor, half: float) -> Tensor:
        # The share of the pixel's extent across the road that the line covers.
        size = f.size_v.clamp(min=0.01)
        low = torch.maximum(distance - size / 2, distance.new_tensor(-half))
        high = torch.minimum(distance + size / 2, distance.new_tensor(half))
        return ((high - low) / size).clamp(0, 1)

    phase = torch.remainder(f.u, _DASH) - _DASH / 2
    length = f.size_u.clamp(min=0.01)
    dash = ((_DASH / 6 - phase.abs()) / length + 0.5).clamp(0, 1)
    # Once several dashes fit into a pixel, only their mean is left.
    dash = torch.lerp(dash, torch.full_like(dash, 1 / 3), (length / _DASH).clamp(0, 1))
    paint = torch.nan_to_num(cover(f.aside, _LINE) * dash + cover(f.aside.abs() - 3.45, _LINE))
    return torch.lerp(colour, torch.full_like(colour, 0.8), 0.75 * paint.clamp(0, 1)[:, None])
