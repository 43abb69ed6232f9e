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

import math

from mdepth_ros.engine.voxel_grid import (
    cell_numbers,
    first_in_cells,
    indices_from,
    MAX_CELLS,
)
import pytest
import torch


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(('size', 'max_range', 'dtype'), [
    (0.5, 9.0, torch.int32), (0.01, 9.0, torch.int64), (9.0 / MAX_CELLS, 9.0, torch.int64)])
def test_points_of_a_cell_share_its_number(generator, size, max_range, dtype):
    points = torch.rand(3, 20, 30, generator=generator, dtype=torch.float64) * 2 - 1
    points[:, 10:] = points[:, :10] + size / 8  # most stay in their cell
    points[2] += 1.5
    margin = torch.rand(20, 30, generator=generator) - 0.1
    margin[3, 4] = math.nan
    x, y, z = points
    cells = cell_numbers(z, (x / z, y / z), margin, size, max_range)
    assert cells.dtype == dtype
    assert torch.equal(cells > 0, margin >= 0)
    assert bool((cells >= 0).all())
    taking = margin >= 0
    expected = [tuple(cell) for cell in (points / size).floor()[:, taking].T.int().tolist()]
    pairs = set(zip(expected, cells[taking].tolist(), strict=True))
    assert len(pairs) == len(set(expected)) == len(set(cells[taking].tolist())) < len(expected)


def test_each_cell_keeps_its_first_pixel(generator):
    for most in (1, 5, 400):
        cells = torch.randint(0, most + 1, (17, 23), generator=generator, dtype=torch.int32)
        first = {}
        for index, cell in enumerate(cells.flatten().tolist()):
            first.setdefault(cell, index)
        first.pop(0, None)
        assert sorted(first_in_cells(cells).tolist()) == sorted(first.values())


def test_no_pixels():
    assert first_in_cells(torch.zeros(4, 5, dtype=torch.int32)).shape == (0,)


def test_indices_are_of_values_high_enough():
    values = torch.tensor([[0.0, math.nan, -1e-9], [math.inf, 1.0, -math.inf]])
    assert indices_from(values, 0.0).tolist() == [0, 3, 4]
    assert indices_from(values.T, 0.0).tolist() == [0, 1, 3]
