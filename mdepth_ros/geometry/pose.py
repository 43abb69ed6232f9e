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

"""Rigid motions as 4x4 matrices: ``T_a_b`` maps points from frame b to frame a."""

from mdepth_ros.geometry.product import exact_product
from mdepth_ros.geometry.shapes import require_shape
import torch
from torch import Tensor


def axis_angle_to_rotation(axis_angle: Tensor) -> Tensor:
    """
    Rodrigues' formula, smooth through zero rotation.

    :param axis_angle: (B, 3) axis times angle [rad].
    :return: (B, 3, 3) rotation matrices.
    :raises ValueError: if the shape differs from the one above.
    """
    require_shape('axis_angle', axis_angle, ('B', 3))
    x, y, z = axis_angle.unbind(dim=1)
    zero = torch.zeros_like(x)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=1).view(-1, 3, 3)
    squared = (axis_angle * axis_angle).sum(dim=1)
    # sin(a)/a and (1 - cos(a))/a^2: series below 1e-2 rad, where the quotients lose digits.
    small = squared < 1e-4
    safe = torch.where(small, torch.ones_like(squared), squared)
    angle = safe.sqrt()
    sinc = torch.where(small, 1 - squared / 6, angle.sin() / angle)
    cosc = torch.where(small, 0.5 - squared / 24, (1 - angle.cos()) / safe)
    identity = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    return identity + sinc[:, None, None] * skew + cosc[:, None, None] * exact_product(skew, skew)


def motion_from_parameters(axis_angle: Tensor, translation: Tensor) -> Tensor:
    """
    Build p -> R p + t.

    :param axis_angle: (B, 3) axis times angle [rad].
    :param translation: (B, 3) translation [m].
    :return: (B, 4, 4) motions.
    :raises ValueError: if a shape differs from the ones above.
    """
    if translation.shape != axis_angle.shape:
        raise ValueError(f'translation must be {tuple(axis_angle.shape)} like axis_angle, '
                         f'got {tuple(translation.shape)}')
    R = axis_angle_to_rotation(axis_angle)
    top = torch.cat([R, translation[:, :, None]], dim=2)  # (B, 3, 4)
    bottom = torch.eye(4, dtype=R.dtype, device=R.device)[3]
    return torch.cat([top, bottom.expand(R.shape[0], 1, 4)], dim=1)


def invert_motion(T: Tensor) -> Tensor:
    """
    Invert p -> R p + t to p -> R^T (p - t).

    :param T: (..., 4, 4) motions ``T_a_b``.
    :return: (..., 4, 4) motions ``T_b_a``.
    :raises ValueError: if the shape differs from the one above.
    """
    if T.shape[-2:] != (4, 4):
        raise ValueError(f'T must be (..., 4, 4), got {tuple(T.shape)}')
    R_inverse = T[..., :3, :3].transpose(-1, -2)
    t_inverse = -exact_product(R_inverse, T[..., :3, 3:])
    return torch.cat([torch.cat([R_inverse, t_inverse], dim=-1), T[..., 3:, :]], dim=-2)
