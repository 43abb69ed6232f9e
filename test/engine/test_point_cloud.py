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

from cloud_reference import clearing_pixels, navigation_pixels
from mdepth_ros.engine.point_cloud import (
    clearing_points,
    CloudFilter,
    navigation_points,
    organised_points,
)
from mdepth_ros.geometry.intrinsics import invert_intrinsics
from mdepth_ros.geometry.projection import backproject, project
import pytest
import torch
import torch.nn.functional as F

K = torch.tensor([[40.0, 0.3, 31.0], [0.0, 42.0, 22.0], [0.0, 0.0, 1.0]])
INV_K = invert_intrinsics(K)
H, W = 48, 64
EVERYTHING = CloudFilter(stride=1, min_range=0.0, max_range=1e4, edge_tolerance=1.0)


@pytest.fixture
def depth():
    return torch.rand(1, 1, H, W, generator=torch.Generator().manual_seed(0)) * 8 + 1


@pytest.fixture
def colours():
    """Give each pixel a colour of its own."""
    number = torch.arange(H * W).view(H, W)
    return torch.stack([number // 256, number % 256, number % 7], dim=2).to(torch.uint8)


def test_organised_points_are_those_of_the_geometry(depth):
    points = organised_points(depth, INV_K)
    expected = backproject(depth, INV_K[None])[0]
    torch.testing.assert_close(points, expected, atol=2e-6, rtol=1e-5)
    assert points.is_contiguous()
    pixels, _ = project(points[None], K[None])
    assert float((pixels[0, :, 7, 50] - torch.tensor([50.0, 7.0])).abs().max()) < 1e-4


def test_organised_points_are_nan_where_depth_is_not_finite(depth):
    depth[0, 0, 3, 4:7] = torch.tensor([math.nan, math.inf, -math.inf])
    points = organised_points(depth, INV_K)
    assert bool(points[:, 3, 4:7].isnan().all())
    assert int(points.isnan().sum()) == 9


def test_everything_kept_is_the_organised_cloud(depth, colours):
    points, point_colours = navigation_points(depth, INV_K, colours, None, EVERYTHING)
    torch.testing.assert_close(points, organised_points(depth, INV_K).flatten(1).T)
    assert torch.equal(point_colours, colours.view(-1, 3))


@pytest.mark.parametrize('stride', [2, 3, 7, 100])
def test_stride_keeps_every_nth_pixel(depth, colours, stride):
    keep = CloudFilter(stride=stride, min_range=0.0, max_range=1e4, edge_tolerance=1.0)
    points, point_colours = navigation_points(depth, INV_K, colours, None, keep)
    expected = organised_points(depth, INV_K)[:, ::stride, ::stride].flatten(1).T
    torch.testing.assert_close(points, expected)
    assert torch.equal(point_colours, colours[::stride, ::stride].reshape(-1, 3))


def test_range_is_the_distance_from_the_camera(depth, colours):
    keep = CloudFilter(stride=1, min_range=3.0, max_range=6.0, edge_tolerance=1.0)
    points, _ = navigation_points(depth, INV_K, colours, None, keep)
    distance = organised_points(depth, INV_K).norm(dim=0)
    assert len(points) == int(((distance >= 3.0) & (distance <= 6.0)).sum()) > 0
    assert float(points.norm(dim=1).min()) >= 3.0 - 1e-5
    assert float(points.norm(dim=1).max()) <= 6.0 + 1e-5


def test_only_finite_points_and_enough_confidence(depth, colours):
    depth[0, 0, 0, :4] = torch.tensor([math.nan, math.inf, -math.inf, -2.0])
    confidence = torch.ones_like(depth)
    confidence[0, 0, 1] = 0.49
    confidence[0, 0, 2, :5] = math.nan
    keep = CloudFilter(stride=1, min_range=0.0, max_range=1e4, min_confidence=0.5,
                       edge_tolerance=1.0)
    points, point_colours = navigation_points(depth, INV_K, colours, confidence, keep)
    assert bool(points.isfinite().all())
    # The four, the second row, five of the third.
    assert len(points) == len(point_colours) == H * W - 4 - W - 5


def test_no_points_at_all(colours):
    nothing = torch.full((1, 1, H, W), math.nan)
    for size in (0.0, 0.1):
        keep = CloudFilter(voxel_size=size)
        points, point_colours = navigation_points(nothing, INV_K, colours, None, keep)
        assert points.shape == point_colours.shape == (0, 3)
        assert point_colours.dtype == torch.uint8


def random_view(seed):
    """Depth with holes of all kinds, and a confidence."""
    generator = torch.Generator().manual_seed(seed)
    blocks = torch.rand(1, 1, 4, 5, generator=generator) * 5 + 0.5
    depth = F.interpolate(blocks, (H, W), mode='bilinear')
    for hole in (math.nan, math.inf, -math.inf):
        depth[torch.rand(depth.shape, generator=generator) < 0.02] = hole
    confidence = torch.rand(depth.shape, generator=generator)
    confidence[0, 0, 3, :7] = math.nan
    return depth, confidence


def nested(image):
    return image[0, 0].double().tolist()


@pytest.mark.parametrize('voxel_size', [0.0, 0.05, 0.3, 0.001])
@pytest.mark.parametrize('stride', [1, 3])
def test_same_as_a_loop_over_the_pixels(colours, stride, voxel_size):
    depth, confidence = random_view(10 * stride)
    keep = CloudFilter(stride=stride, voxel_size=voxel_size, min_range=1.0, max_range=5.0,
                       min_confidence=0.3)
    # No row through the principal point: its y is 0, on the border of two cells.
    inv_K = invert_intrinsics(K + torch.tensor([0.0, 0.0, 0.4]) * torch.tensor([[1], [1], [0]]))
    expected = navigation_pixels(nested(depth), inv_K.double().tolist(), nested(confidence), keep)
    points, point_colours = navigation_points(depth, inv_K, colours, confidence, keep)
    by_colour = dict(zip(map(tuple, point_colours.tolist()), points.double(), strict=True))
    assert len(by_colour) == len(points) == len(expected) > 10
    for pixel, point in expected.items():
        torch.testing.assert_close(by_colour[tuple(colours[pixel].tolist())],
                                   torch.tensor(point, dtype=torch.float64), atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize('stride', [1, 4])
def test_clearing_rays_are_those_of_a_loop_over_the_pixels(stride):
    depth, confidence = random_view(stride)
    keep = CloudFilter(stride=stride, min_range=1.0, max_range=4.0, min_confidence=0.3)
    expected = clearing_pixels(nested(depth), INV_K.double().tolist(), nested(confidence), keep)
    points = clearing_points(depth, INV_K, confidence, keep)
    torch.testing.assert_close(points.double(),
                               torch.tensor(list(expected.values()), dtype=torch.float64),
                               atol=1e-4, rtol=1e-5)
    assert float(points.norm(dim=1).max()) == pytest.approx(4.0)


def test_what_is_far_or_beyond_range_clears_and_what_is_not_trusted_does_not():
    depth = torch.full((1, 1, H, W), 50.0)
    depth[0, 0, 10:20] = math.inf
    keep = CloudFilter(stride=1, max_range=6.0, min_confidence=0.5)
    everything = clearing_points(depth, INV_K, None, keep)
    assert len(everything) == H * W
    torch.testing.assert_close(everything.norm(dim=1), torch.full((H * W,), 6.0))
    confidence = torch.ones_like(depth)
    confidence[0, 0, 12:30] = 0.4
    assert len(clearing_points(depth, INV_K, confidence, keep)) == (H - 18) * W
    for unseen in (math.nan, -math.inf, 0.0, 0.01):
        depth[:] = unseen
        assert clearing_points(depth, INV_K, None, keep).shape == (0, 3)


def test_a_clearing_ray_ends_at_the_point_that_marks(depth, colours):
    keep = CloudFilter(stride=2, max_range=1e3)
    points, _ = navigation_points(depth, INV_K, colours, None, keep)
    assert torch.equal(points, clearing_points(depth, INV_K, None, keep))


@pytest.mark.parametrize('arguments', [
    {'stride': 0}, {'voxel_size': -1.0}, {'voxel_size': math.nan}, {'voxel_size': 1e-6},
    {'min_range': 5.0, 'max_range': 5.0}, {'min_confidence': 1.1}, {'edge_tolerance': 0.0},
])
def test_filter_refuses_values_out_of_range(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        CloudFilter(**arguments)


def test_wrong_shapes_name_both_sides(depth, colours):
    with pytest.raises(ValueError, match=r'depth must be \(1, 1, H, W\), got \(48, 64\)'):
        organised_points(depth[0, 0], INV_K)
    with pytest.raises(ValueError, match=r'inv_K must be \(3, 3\)'):
        organised_points(depth, INV_K[None])
    with pytest.raises(ValueError, match='colours must be'):
        navigation_points(depth, INV_K, colours[1:], None, EVERYTHING)
    with pytest.raises(ValueError, match='confidence must be'):
        navigation_points(depth, INV_K, colours, depth[..., 1:], EVERYTHING)
    with pytest.raises(ValueError, match='confidence must be'):
        clearing_points(depth, INV_K, depth[..., 1:], EVERYTHING)
