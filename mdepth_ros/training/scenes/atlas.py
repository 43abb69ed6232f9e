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

"""Texture look-up without aliasing: rip-maps (mip-maps per axis) of all textures in one image."""

from mdepth_ros.training.scenes.noise import SIZE
import torch
from torch import Tensor
import torch.nn.functional as F

LEVELS = SIZE.bit_length()  # the last level is one texel
# Every level has a wrapped texel on both sides, so that bilinear reading never sees a neighbour.
STRIDE = sum((SIZE >> level) + 2 for level in range(LEVELS))


class Atlas:
    """
    Rip-maps of a stack of textures.

    :param textures: (K, 3, SIZE, SIZE) tiling textures in [0, 1], rows downwards.
    """

    def __init__(self, textures: Tensor) -> None:
        count = textures.shape[0]
        # Channels first and one texture bottom the other: (1, 3, K * STRIDE, STRIDE) in the end.
        image = textures.new_zeros(3, count, STRIDE, STRIDE)
        rows, y = textures.transpose(0, 1), 0
        for _ in range(LEVELS):
            small, x = rows, 0
            for _ in range(LEVELS):
                height, width = small.shape[2:]
                bottom, right = y + height + 2, x + width + 2
                image[:, :, y + 1:bottom - 1, x + 1:right - 1] = small
                _wrap(image[:, :, y:bottom, x:right])
                small = (small[..., ::2] + small[..., 1::2]) / 2 if width > 1 else small
                x = right
            rows = (rows[:, :, ::2] + rows[:, :, 1::2]) / 2 if height > 1 else rows
            y += height + 2
        self.image = image.view(1, 3, count * STRIDE, STRIDE)

    def read(
        self, texture: Tensor, u: Tensor, v: Tensor, size_u: Tensor, size_v: Tensor
    ) -> Tensor:
        """
        Average a texture over a footprint: linear within and between the levels.

        :param texture: (F, H, W) row of the stack, as float.
        :param u: (F, H, W) position along the columns [repeats].
        :param v: (F, H, W) position along the rows [repeats].
        :param size_u: (F, H, W) width of the footprint [repeats].
        :param size_v: (F, H, W) height of the footprint [repeats].
        :return: (F, 3, H, W).
        """
        low_u, part_u = _level(size_u)
        low_v, part_v = _level(size_v)
        u, v = u - u.floor(), v - v.floor()
        base = texture * STRIDE
        x = [_position(u, low_u), _position(u, low_u + 1)]
        y = [_position(v, low_v) + base, _position(v, low_v + 1) + base]
        top = torch.lerp(self._bilinear(x[0], y[0]), self._bilinear(x[1], y[0]), part_u[:, None])
        low = torch.lerp(self._bilinear(x[0], y[1]), self._bilinear(x[1], y[1]), part_u[:, None])
        return torch.lerp(top, low, part_v[:, None])

    def read_nearest_level(
        self, texture: int, u: Tensor, v: Tensor, size_u: Tensor, size_v: Tensor
    ) -> Tensor:
        """
        Do as :meth:`read`, with one tap: for textures too faint for the seams to show.

        :param texture: row of the stack.
        :param u: as there; so are the other arguments.
        :return: (F, 3, H, W).
        """
        x = _position(u - u.floor(), (size_u * SIZE).clamp(1, SIZE / 2).log2().round())
        y = _position(v - v.floor(), (size_v * SIZE).clamp(1, SIZE / 2).log2().round())
        return self._bilinear(x, y + texture * STRIDE)

    def _bilinear(self, x: Tensor, y: Tensor) -> Tensor:
        """Read the atlas at texel coordinates (F, H, W)."""
        height, width = self.image.shape[2:]
        grid = torch.stack([x * (2 / (width - 1)) - 1, y * (2 / (height - 1)) - 1], dim=-1)
        return F.grid_sample(self.image.expand(x.shape[0], -1, -1, -1), grid, mode='bilinear',
                             padding_mode='border', align_corners=True)


def _wrap(level: Tensor) -> None:
    """Fill the outermost texels of a level (3, K, h + 2, w + 2) from the opposite sides."""
    level[:, :, 0], level[:, :, -1] = level[:, :, -2], level[:, :, 1]
    level[..., 0], level[..., -1] = level[..., -2], level[..., 1]


def _level(size: Tensor) -> tuple[Tensor, Tensor]:
    """Lower level for a footprint, and how far towards the next one."""
    level = (size * SIZE).clamp(1, SIZE / 2 * 0.999).log2()
    low = level.floor()
    return low, level - low


def _position(part: Tensor, level: Tensor) -> Tensor:
    """Texel coordinate in the atlas of a place in [0, 1) at a level."""
    # Sum over the levels before: SIZE (1 + 1/2 + ...) + 2 level = 2 SIZE (1 - 2^-level) + ...
    scale = torch.exp2(-level)
    return 2 * SIZE * (1 - scale) + 2 * level + 0.5 + part * (SIZE * scale)
