import math

import numpy as np
import pytest
import torch

from mdepth_ros.engine.point_cloud import (
    CloudFilter,
    depth_edges,
    navigation_points,
    organised_points,
    voxel_means,
)
from mdepth_ros.geometry.intrinsics import invert_intrinsics
from mdepth_ros.geometry.projection import backproject, project

K = torch.tensor([[40.0, 0.3, 31.0], [0.0, 42.0, 22.0], [0.0, 0.0, 1.0]])
INV_K = invert_intrinsics(K)
H, W = 48, 64
EVERYTHING = CloudFilter(stride=1, min_range=0.0, max_range=1e4, max_depth_jump=1e6)


@pytest.fixture
def depth():
    return torch.rand(1, 1, H, W, generator=torch.Generator().manual_seed(0)) * 8 + 1


@pytest.fixture
def colours():
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (H, W, 3), dtype=np.uint8))


def test_organised_points_are_those_of_the_geometry(depth):
    points = organised_points(depth, INV_K)
    expected = backproject(depth, INV_K[None])[0].permute(1, 2, 0)
    torch.testing.assert_close(points, expected, atol=2e-6, rtol=1e-5)
    assert points.is_contiguous()
    pixels, _ = project(points.permute(2, 0, 1)[None], K[None])
    assert float((pixels[0, :, 7, 50] - torch.tensor([50.0, 7.0])).abs().max()) < 1e-4


def test_organised_points_are_nan_where_depth_is_not_finite(depth):
    depth[0, 0, 3, 4:7] = torch.tensor([math.nan, math.inf, -math.inf])
    points = organised_points(depth, INV_K)
    assert bool(points[3, 4:7].isnan().all())
    assert int(points.isnan().sum()) == 9


def test_everything_kept_is_the_organised_cloud(depth, colours):
    points, point_colours = navigation_points(depth, INV_K, colours, None, EVERYTHING)
    torch.testing.assert_close(points, organised_points(depth, INV_K).view(-1, 3))
    assert torch.equal(point_colours, colours.view(-1, 3))


@pytest.mark.parametrize('stride', [2, 3, 7, 100])
def test_stride_keeps_every_nth_pixel(depth, colours, stride):
    keep = CloudFilter(stride=stride, min_range=0.0, max_range=1e4, max_depth_jump=1e6)
    points, point_colours = navigation_points(depth, INV_K, colours, None, keep)
    expected = organised_points(depth, INV_K)[::stride, ::stride].reshape(-1, 3)
    torch.testing.assert_close(points, expected)
    assert torch.equal(point_colours, colours[::stride, ::stride].reshape(-1, 3))


def test_range_is_the_distance_from_the_camera(depth, colours):
    keep = CloudFilter(stride=1, min_range=3.0, max_range=6.0, max_depth_jump=1e6)
    points, _ = navigation_points(depth, INV_K, colours, None, keep)
    distance = organised_points(depth, INV_K).norm(dim=-1)
    assert len(points) == int(((distance >= 3.0) & (distance <= 6.0)).sum()) > 0
    assert float(points.norm(dim=1).min()) >= 3.0 - 1e-5
    assert float(points.norm(dim=1).max()) <= 6.0 + 1e-5


def test_only_finite_points_and_enough_confidence(depth, colours):
    depth[0, 0, 0, :4] = torch.tensor([math.nan, math.inf, -math.inf, -2.0])
    confidence = torch.ones_like(depth)
    confidence[0, 0, 1] = 0.49
    confidence[0, 0, 2, :5] = math.nan
    keep = CloudFilter(stride=1, min_range=0.0, max_range=1e4, min_confidence=0.5,
                       max_depth_jump=1e6)
    points, point_colours = navigation_points(depth, INV_K, colours, confidence, keep)
    assert bool(points.isfinite().all())
    # The four, their finite neighbour (a jump), the second row, five of the third.
    assert len(points) == len(point_colours) == H * W - 4 - 1 - W - 5


def test_no_points_at_all(colours):
    nothing = torch.full((1, 1, H, W), math.nan)
    for size in (0.0, 0.1):
        keep = CloudFilter(voxel_size=size)
        points, point_colours = navigation_points(nothing, INV_K, colours, None, keep)
        assert points.shape == point_colours.shape == (0, 3)
        assert point_colours.dtype == torch.uint8


def test_flying_pixels_between_two_walls_go_and_the_walls_stay(colours):
    depth = torch.full((1, 1, H, W), 2.0)
    depth[..., 33:] = 6.0
    depth[..., 30:33] = torch.tensor([3.0, 4.0, 5.0])  # smeared
    keep = CloudFilter(stride=1, max_depth_jump=0.15)
    points, _ = navigation_points(depth, INV_K, colours, None, keep)
    assert set(points[:, 2].tolist()) == {2.0, 6.0}
    assert len(points) == H * (W - 5)  # the ramp and one pixel of each wall


def test_slanted_ground_is_no_edge():
    v = torch.arange(H, dtype=torch.float32)[:, None].expand(H, W)
    height, horizon = 1.0, 0.0
    depth = (height * 300.0 / (v - horizon + 40.0))[None, None]  # 7.5 m to 3.4 m
    assert not bool(depth_edges(depth, 0.15).any())


def test_edges_count_jumps_to_inf_but_not_to_nan():
    row = torch.tensor([1.0, 1.0, math.inf, math.inf, 1.0, math.nan, 1.0, 1.2, 1.3])
    edges = depth_edges(row[None, None, None], 0.15)[0, 0, 0]
    assert edges.tolist() == [False, True, True, True, True, False, True, True, False]


def test_voxel_means_by_hand_and_across_zero():
    points = torch.tensor([[0.01, 0.0, 1.0], [0.03, 0.02, 1.02], [-0.01, 0.0, 1.0],
                           [5.0, -5.0, 9.0]])
    colours = torch.tensor([[0, 10, 255], [10, 20, 255], [7, 7, 7], [1, 2, 3]], dtype=torch.uint8)
    means, mean_colours = voxel_means(points, colours, 0.1)
    order = means[:, 0].argsort()
    expected = [[-0.01, 0.0, 1.0], [0.02, 0.01, 1.01], [5.0, -5.0, 9.0]]
    torch.testing.assert_close(means[order], torch.tensor(expected))
    assert mean_colours[order].tolist() == [[7, 7, 7], [5, 15, 255], [1, 2, 3]]


def test_voxels_are_those_of_a_dictionary(depth, colours):
    points = organised_points(depth, INV_K).view(-1, 3)
    cells = {tuple(cell) for cell in (points / 0.5).floor().int().tolist()}
    means, _ = voxel_means(points, colours.view(-1, 3), 0.5)
    assert len(means) == len(cells)
    assert {tuple(cell) for cell in (means / 0.5).floor().int().tolist()} <= cells


@pytest.mark.parametrize('arguments', [
    {'stride': 0}, {'voxel_size': -1.0}, {'voxel_size': math.nan}, {'min_range': 5.0,
    'max_range': 5.0}, {'min_confidence': 1.1}, {'max_depth_jump': 0.0}, {'voxel_size': 1e-6},
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
