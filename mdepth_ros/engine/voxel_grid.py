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

"""One pixel per cell of a grid in space."""

import math

import numpy as np
import torch
from torch import Tensor

# Cells along an axis. Their number and the pixel's have to fit into the 63 bits of an int64.
MAX_CELLS = 2 ** 13


def cell_numbers(
    z: Tensor, rays: tuple[Tensor, Tensor], margin: Tensor, size: float, max_range: float
) -> Tensor:
    """
    Return the numbers of the cells that the pixels' points are in.

    :param z: (h, w) depth [m].
    :param rays: x and y of the pixels' points at depth 1, that broadcast to (h, w).
    :param margin: (h, w), not below 0 where a pixel takes part; NaN is below.
    :param size: edge of a cell [m].
    :param max_range: points that take part are no farther from the origin [m].
    :return: (h, w) int32 or int64 numbers above 0; 0 for pixels that do not take part.
    """
    n = math.ceil(max_range / size) + 1
    # An int32 does for all but the finest grids, in half the time.
    dtype = torch.int32 if 4 * n ** 3 < 2 ** 31 else torch.int64
    in_cells = z * (1.0 / size)
    middle = z.new_tensor(float(n))
    column, row = (torch.addcmul(middle, in_cells, ray).to(dtype) for ray in rays)
    cells = column.mul_(2 * n).add_(row).mul_(n).add_(in_cells.to(dtype))
    # Those that take part are above 0, as x and y are moved to above 0.
    return cells.mul_(torch.ge(margin, 0.0, out=torch.empty_like(cells)))


def first_in_cells(cells: Tensor) -> Tensor:
    """
    Keep the first pixel of each cell, row by row.

    :param cells: (h, w) numbers of the cells; 0 where there is no pixel.
    :return: (N) int64 indices into the flattened pixels; in the cells' order.
    """
    # It is in another cell than the pixel to the left and the one above, as few others are.
    corners = cells.clone()
    for here, other, out in ((cells[:, 1:], cells[:, :-1], corners[:, 1:]),
                             (cells[1:], cells[:-1], corners[1:])):
        torch.minimum(out, here ^ other, out=out)
    index = indices_from(corners, 1)
    bits = cells.numel().bit_length()
    packed = cells.view(-1).index_select(0, index).to(torch.int64).bitwise_left_shift_(bits)
    packed = _sorted(packed.bitwise_or_(index))
    number = packed >> bits
    first = torch.ones_like(number, dtype=torch.bool)
    torch.ne(number[1:], number[:-1], out=first[1:])
    return packed[first] & ((1 << bits) - 1)


def indices_from(values: Tensor, lowest: float) -> Tensor:
    """
    Find where values are high enough.

    :param values: any shape; NaN never is.
    :param lowest: lowest value that counts.
    :return: (N) int64 ascending indices into the flattened values.
    """
    if values.is_cuda:
        return (values.flatten() >= lowest).nonzero()[:, 0]
    # NumPy takes a third of torch's time.
    return torch.from_numpy(np.flatnonzero(values.numpy() >= lowest))


def _sorted(values: Tensor) -> Tensor:
    """Sort ascending."""
    if values.is_cuda:
        return values.sort().values
    # NumPy takes a tenth of torch's time.
    return torch.from_numpy(np.sort(values.numpy()))
