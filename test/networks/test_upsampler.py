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

from mdepth_ros.networks.upsampler import convex_upsample, ConvexUpsampler
import pytest
import torch


@pytest.fixture
def context():
    return torch.randn(2, 32, 4, 5, generator=torch.Generator().manual_seed(0))


def test_replicate_keeps_a_constant_up_to_the_border(context):
    fine = ConvexUpsampler(32, 'replicate')(torch.full((2, 1, 4, 5), 7.0), context)
    assert fine.shape == (2, 1, 16, 20)
    torch.testing.assert_close(fine, torch.full((2, 1, 16, 20), 7.0))


def test_zeros_keep_a_constant_inside_and_pull_the_border_down(context):
    fine = ConvexUpsampler(32, 'zeros')(torch.full((2, 1, 4, 5), 7.0), context)
    torch.testing.assert_close(fine[..., 4:-4, 4:-4], torch.full((2, 1, 8, 12), 7.0))
    assert bool((fine[..., 0, :] < 7.0).all())


def test_stays_between_the_neighbours(context):
    depth = 1 + torch.rand(2, 1, 4, 5)
    fine = ConvexUpsampler(32, 'replicate')(depth, context)
    assert bool((fine >= depth.min()).all() and (fine <= depth.max()).all())


def test_weights_pick_neighbour_and_fine_pixel():
    """Neighbour 5 is the right one; fine pixel 6 is row 1, column 2 of its cell."""
    depth = torch.arange(6.0).view(1, 1, 2, 3)
    weights = torch.zeros(1, 9, 16, 2, 3)
    weights[:, 4] = 1.0
    weights[:, 4, 6], weights[:, 5, 6] = 0.0, 1.0
    fine = convex_upsample(depth, weights, 'replicate')
    expected = depth.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    expected[0, 0, 1::4, 2::4] = torch.tensor([[1.0, 2.0, 2.0], [4.0, 5.0, 5.0]])
    torch.testing.assert_close(fine, expected)


def test_gradient_reaches_every_parameter(context):
    upsampler = ConvexUpsampler(32, 'replicate')
    upsampler(torch.rand(2, 1, 4, 5), context).square().sum().backward()
    assert all(bool(p.grad.any()) for p in upsampler.parameters())


def test_refuses_another_context(context):
    with pytest.raises(ValueError, match=r'context must be \(2, C, 4, 6\), got \(2, 32, 4, 5\)'):
        ConvexUpsampler(32, 'zeros')(torch.rand(2, 1, 4, 6), context)
