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

from mdepth_ros.networks.blocks import EnlargeBilinear, resize_map
import pytest
import torch
import torch.nn.functional as F


@pytest.mark.parametrize('factor', [2, 3, 4])
def test_enlargement_is_interpolation(factor):
    x = torch.rand(2, 1, 5, 7)
    torch.testing.assert_close(
        EnlargeBilinear(factor)(x),
        F.interpolate(x, scale_factor=factor, mode='bilinear', align_corners=False))


@pytest.mark.parametrize('factor', [2, 4])
def test_every_nth_pixel_comes_back_where_it_was(factor):
    y, x = torch.meshgrid(torch.arange(8.0 * factor), torch.arange(10.0 * factor), indexing='ij')
    ramp = (3 * x - 2 * y)[None, None]
    coarse = ramp[..., ::factor, ::factor]
    fine = EnlargeBilinear(factor, strided=True)(coarse)
    torch.testing.assert_close(fine[..., ::factor, ::factor], coarse)
    # Beyond the last one there is nothing to go by.
    inner = ..., slice(0, 1 - factor), slice(0, 1 - factor)
    torch.testing.assert_close(fine[inner], ramp[inner])


@pytest.mark.parametrize('size', [(6, 9), (5, 7), (3, 10), (1, 1)])
def test_a_resized_map_is_interpolated(size):
    x = torch.rand(2, 1, 5, 7)
    torch.testing.assert_close(
        resize_map(x, *size), F.interpolate(x, size, mode='bilinear', align_corners=False))
