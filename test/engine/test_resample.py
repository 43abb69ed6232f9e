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

from mdepth_ros.engine.resample import resize_depth
import pytest
import torch


def plane(h, w, scale=1.0):
    """See a slanted plane at a resolution scale times as fine: inverse depth is linear."""
    v, u = torch.meshgrid(torch.arange(h, dtype=torch.float64),
                          torch.arange(w, dtype=torch.float64), indexing='ij')
    x, y = (u + 0.5) / scale, (v + 0.5) / scale
    return (1.0 / (0.1 + 0.002 * x + 0.004 * y))[None, None]


@pytest.mark.parametrize('factor', [2, 3, 5])
def test_a_plane_stays_a_plane(factor):
    fine = resize_depth(plane(12, 16), 12 * factor, 16 * factor)
    inside = (..., slice(factor, -factor), slice(factor, -factor))
    torch.testing.assert_close(fine[inside], plane(12 * factor, 16 * factor, factor)[inside])


def test_there_is_nothing_between_two_surfaces():
    depth = torch.full((1, 1, 8, 8), 2.0)
    depth[..., 4:] = 9.0
    depth[0, 0, 2, 2] = 5.0
    fine = resize_depth(depth, 50, 61)
    assert {round(value, 4) for value in fine.unique().tolist()} == {2.0, 5.0, 9.0}


@pytest.mark.parametrize('mark', [math.nan, math.inf, -math.inf])
def test_marks_stay_marks_and_do_not_spread(mark):
    depth = torch.full((1, 1, 8, 8), 2.0)
    depth[..., 3:5, 3:5] = mark
    fine = resize_depth(depth, 32, 32)
    expected = torch.full((1, 1, 32, 32), 2.0)
    expected[..., 12:20, 12:20] = mark
    torch.testing.assert_close(fine, expected, equal_nan=True)


@pytest.mark.parametrize('size', [(1, 1), (7, 5), (16, 8), (33, 70)])
def test_any_size_and_only_values_in_range(size):
    depth = 1 + torch.rand(1, 1, 16, 8, generator=torch.Generator().manual_seed(0))
    fine = resize_depth(depth, *size)
    assert fine.shape[2:] == size
    assert (fine >= depth.min() - 1e-6).all()
    assert (fine <= depth.max() + 1e-6).all()


def test_the_same_size_is_the_same():
    depth = torch.rand(1, 1, 4, 4)
    assert resize_depth(depth, 4, 4) is depth
