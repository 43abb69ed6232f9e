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

"""Points of a frame in the frame before: what their depth is said to be, now and then."""

from functools import lru_cache
from typing import NamedTuple

from mdepth_ros.geometry.intrinsics import invert_intrinsics
from mdepth_ros.geometry.projection import inside, onto_image, pixel_grid, sample
import torch
from torch import Tensor
import torch.nn.functional as F


class Comparison(NamedTuple):
    """
    Of every n-th pixel of every n-th row.

    ``log_ratio`` (1, 1, h, w) of the depth now, brought into the frame before, to the depth then;
    it means something where the point was ``seen`` (1, 1, h, w) with finite depths. ``depth``
    (1, 1, h, w) is that of this frame [m], and ``pixels`` (1, 2, h, w) where its points were in
    the frame before [px of full size].
    """

    log_ratio: Tensor
    seen: Tensor
    depth: Tensor
    pixels: Tensor


def every_nth(image: Tensor, stride: int) -> Tensor:
    """
    Take one of ``stride`` x ``stride`` pixels, from the middle.

    :param image: (B, C, H, W).
    :param stride: in both directions.
    :return: (B, C, h, w).
    """
    middle = slice(stride // 2, None, stride)
    return image[..., middle, middle]


def between(image: Tensor, stride: int, height: int, width: int) -> Tensor:
    """
    Fill in what :func:`every_nth` left out, bilinearly.

    :param image: (B, C, h, w).
    :param stride: as there.
    :param height: H [px].
    :param width: W [px].
    :return: (B, C, H, W).
    """
    h, w = image.shape[-2:]
    padded = F.pad(image, (1, 1, 1, 1), mode='replicate')
    filled = F.interpolate(padded, ((h + 1) * stride + 1, (w + 1) * stride + 1), mode='bilinear',
                           align_corners=True)
    first = stride - stride // 2
    return filled[..., first:first + height, first:first + width]


def at_every_nth(pixels: Tensor, stride: int) -> Tensor:
    """
    Say where pixels of an image are in its :func:`every_nth`.

    :param pixels: (..., 2, h, w) x and y in the image [px].
    :param stride: as there.
    :return: the same, in the small image.
    """
    return (pixels - stride // 2) / stride


def compare(depth: Tensor, last: Tensor, K: Tensor, T_last_now: Tensor, stride: int) -> Comparison:
    """
    Compare a depth with that of the frame before.

    :param depth: (1, 1, H, W) [m].
    :param last: (1, 1, H, W) of the frame before [m].
    :param K: (1, 3, 3) of both [px].
    :param T_last_now: (1, 4, 4) motion from this frame to the one before [m].
    :param stride: every so manieth pixel is compared.
    :return: the comparison.
    """
    z = every_nth(depth, stride)
    rays = _rays(tuple(K.flatten().tolist()), *depth.shape[-2:], stride, depth.device)
    P = K @ T_last_now[:, :3]  # (1, 3, 4)
    moved = (P[:, :, :3] @ rays).view(1, 3, *z.shape[-2:]) * z + P[:, :, 3, None, None]
    pixels, in_front = onto_image(moved)
    ratio = (moved[:, 2:] / sample(last, pixels, 'border')).log()
    seen = inside(pixels, *last.shape[-2:]) & in_front & ratio.isfinite()
    return Comparison(ratio, seen, z, pixels)


@lru_cache(maxsize=4)
def _rays(
    K: tuple[float, ...], height: int, width: int, stride: int, device: torch.device
) -> Tensor:
    """Return where every n-th pixel looks, (1, 3, h w) with z = 1, for K row by row."""
    inv_K = invert_intrinsics(torch.tensor(K, device=device).view(1, 3, 3))
    return inv_K @ every_nth(pixel_grid(height, width, inv_K), stride).reshape(3, -1)
