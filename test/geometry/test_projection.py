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

from hypothesis import given
from hypothesis import strategies as st
from mdepth_ros.geometry.intrinsics import intrinsics_from_fov, invert_intrinsics
from mdepth_ros.geometry.pose import invert_motion, motion_from_parameters
from mdepth_ros.geometry.projection import (
    backproject,
    inside,
    project,
    reproject,
    sample,
    sweep,
    transform,
    warp,
)
import pytest
import torch
from torch.autograd import gradcheck

H, W = 24, 40
K = intrinsics_from_fov(80.0, W, H).double()[None]
INV_K = invert_intrinsics(K)
IDENTITY = torch.eye(4, dtype=torch.float64)[None]


def random_depth(seed=0):
    return 1 + 9 * torch.rand(1, 1, H, W, generator=torch.Generator().manual_seed(seed)).double()


def random_image(seed=1, channels=3):
    return torch.rand(1, channels, H, W, generator=torch.Generator().manual_seed(seed)).double()


def shifted(x, y, z):
    T = IDENTITY.clone()
    T[0, :3, 3] = torch.tensor([x, y, z], dtype=torch.float64).double()
    return T


def test_backproject_by_hand():
    # fx = 2, centre (1, 0): the pixel (3, 0) at 4 m is 4 * (3 - 1) / 2 = 4 m to the right.
    K2 = torch.tensor([[[2.0, 0.0, 1.0], [0.0, 2.0, 0.0], [0.0, 0.0, 1.0]]])
    points = backproject(torch.full((1, 1, 1, 4), 4.0), invert_intrinsics(K2))
    assert points[0, :, 0, 3].tolist() == [4.0, 0.0, 4.0]


def test_backproject_keeps_nan():
    depth = torch.full((1, 1, 2, 2), math.nan)
    assert backproject(depth, torch.eye(3)[None]).isnan().all()


def test_project_inverts_backproject():
    pixels, valid = project(backproject(random_depth(), INV_K), K)
    x, y = torch.meshgrid(torch.arange(W), torch.arange(H), indexing='xy')
    assert valid.all()
    assert torch.allclose(pixels[0], torch.stack([x, y]).double(), atol=1e-9)


def test_points_behind_are_not_valid_and_finite_and_unknown_ones_are_not_valid():
    points = torch.tensor([[1.0, 1.0, z] for z in (-1.0, 0.0, 2.0, math.nan)]).T
    pixels, valid = project(points.reshape(1, 3, 1, 4), torch.eye(3)[None])
    assert valid.flatten().tolist() == [False, False, True, False]
    assert pixels[..., :3].isfinite().all()


def test_identity_warp_returns_the_input():
    image = random_image().float()
    warped, valid = warp(image, random_depth().float(), K.float(), INV_K.float(), IDENTITY.float())
    assert (warped - image).abs().max() < 1e-5
    assert valid[..., 1:-1, 1:-1].all()


def test_warp_by_a_whole_pixel_by_hand():
    # At 5 m one pixel is 5 / fx metres: the source stands that far to the left of the target,
    # so that the target's pixel x is the source's x + 1.
    depth = torch.full((1, 1, H, W), 5.0, dtype=torch.float64)
    T_source_target = shifted(5.0 / float(K[0, 0, 0]), 0.0, 0.0)
    image = random_image()
    warped, valid = warp(image, depth, K, INV_K, T_source_target)
    assert torch.allclose(warped[..., :-1], image[..., 1:], atol=1e-9)
    assert valid[..., 1:-1, 1:-2].all()
    assert not valid[..., -1].any()


@given(st.floats(0.1, 10))
def test_warp_knows_no_scale(scale):
    vector = torch.tensor([[0.02, -0.03, 0.01]], dtype=torch.float64)
    t = torch.tensor([[0.2, -0.1, 0.3]], dtype=torch.float64)
    one, _ = warp(random_image(), random_depth(), K, INV_K, motion_from_parameters(vector, t))
    two, _ = warp(random_image(), scale * random_depth(), K, INV_K,
                  motion_from_parameters(vector, scale * t))
    assert torch.allclose(one, two, atol=1e-9)


def test_transform_chains():
    a = motion_from_parameters(torch.tensor([[0.1, 0.2, 0.3]]), torch.tensor([[1.0, 2.0, 3.0]]))
    b = motion_from_parameters(torch.tensor([[-0.3, 0.1, 0.2]]), torch.tensor([[0.0, -1.0, 2.0]]))
    points = torch.rand(1, 3, 2, 2)
    assert torch.allclose(transform(a, transform(b, points)), transform(a @ b, points), atol=1e-5)


def test_inside_ends_at_the_pixel_centres():
    x = torch.tensor([-0.1, 0.0, 3.0, 3.1])
    pixels = torch.stack([x, torch.zeros(4)]).view(1, 2, 1, 4)
    assert inside(pixels, 1, 4).flatten().tolist() == [False, True, True, False]


def test_sample_at_pixels_and_between():
    image = torch.arange(12.0).view(1, 1, 3, 4)
    pixels = torch.tensor([[2.0, 1.0], [2.5, 1.0], [2.0, 1.5], [9.0, 9.0]]).T.view(1, 2, 1, 4)
    assert sample(image, pixels).flatten().tolist() == pytest.approx([6.0, 6.5, 8.0, 0.0])
    assert sample(image, pixels, 'border').flatten()[3] == pytest.approx(11.0)


def test_single_pixel_image():
    image = torch.full((1, 1, 1, 1), 7.0)
    assert sample(image, torch.zeros(1, 2, 1, 1)).item() == 7.0


def test_gradient_of_depth_and_motion():
    depth = random_depth()[..., :4, :4].clone().requires_grad_()
    vector = torch.tensor([[0.02, -0.03, 0.01]], dtype=torch.float64, requires_grad=True)
    t = torch.tensor([[0.2, -0.1, 0.3]], dtype=torch.float64, requires_grad=True)

    def pixels(depth, vector, t):
        return reproject(depth, K, INV_K, motion_from_parameters(vector, t))[0]

    assert gradcheck(pixels, (depth, vector, t))


@pytest.mark.parametrize(('call', 'text'), [
    (lambda: backproject(torch.ones(4, 4), INV_K), r'depth must be \(B, 1, H, W\), got \(4, 4\)'),
    (lambda: backproject(random_depth(), K[0]), r'inv_K must be \(1, 3, 3\), got \(3, 3\)'),
    (lambda: project(torch.ones(1, 2, 4, 4), K), r'points must be \(B, 3, H, W\), got'),
    (lambda: transform(IDENTITY[:, :3], torch.ones(1, 3, 4, 4)), r'T must be \(1, 4, 4\), got'),
    (lambda: transform(IDENTITY, torch.ones(3, 4)), r'points must be \(B, 3, H, W\), got'),
    (lambda: transform(IDENTITY, torch.ones(1, 4, 4, 4)), r'points must be \(B, 3, H, W\), got'),
    (lambda: sweep(torch.ones(4, 4), K, IDENTITY), r'depths must be \(B, D, h, w\), got \(4, 4\)'),
    (lambda: reproject(torch.ones(1, 2, 4, 4), K, INV_K, IDENTITY),
     r'depth must be \(B, 1, H, W\), got \(1, 2, 4, 4\)'),
    (lambda: reproject(random_depth(), K, INV_K[0], IDENTITY),
     r'inv_K_target must be \(1, 3, 3\)'),
])
def test_bad_shapes(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_mixed_precision_leaves_the_geometry_alone():
    K = torch.tensor([[[100.0, 0.0, 52.0], [0.0, 100.0, 16.0], [0.0, 0.0, 1.0]]])
    T = motion_from_parameters(torch.tensor([[0.02, -0.1, 0.03]]), torch.tensor([[0.3, 0.1, -1]]))
    depth = torch.full((1, 1, 32, 104), 8.0)
    wanted, _ = reproject(depth, K, invert_intrinsics(K), invert_motion(T))
    with torch.autocast('cpu', torch.bfloat16):
        T = motion_from_parameters(torch.tensor([[0.02, -0.1, 0.03]]),
                                   torch.tensor([[0.3, 0.1, -1]]))
        pixels, _ = reproject(depth, K, invert_intrinsics(K), invert_motion(T))
    torch.testing.assert_close(pixels, wanted, rtol=0, atol=0)


def test_unknown_coordinates_read_nan_and_do_not_kill_the_process():
    image = torch.rand(1, 2, 5, 7, requires_grad=True)
    pixels = torch.rand(1, 2, 3, 4) * 4
    pixels[0, 0, 1, 2] = torch.nan
    read = sample(image, pixels, padding_mode='border')
    assert read[0, :, 1, 2].isnan().all()
    assert read.isnan().sum() == 2
    read.nansum().backward()
    assert image.grad.isfinite().all()


def test_sweep_projects_the_points_of_every_depth():
    torch.manual_seed(0)
    B, D, h, w = 2, 5, 6, 8
    depths = 0.5 + 5 * torch.rand(B, D, h, w)
    K = torch.tensor([[7.0, 0.2, 3.4], [0, 8.0, 2.6], [0, 0, 1]]).repeat(B, 1, 1)
    T = motion_from_parameters(0.2 * torch.randn(B, 3), torch.randn(B, 3))
    pixels, valid = sweep(depths, K, T)
    assert not valid.all()
    for i in range(D):
        points = backproject(depths[:, i:i + 1], invert_intrinsics(K))
        wanted, in_front = project(transform(T, points), K)
        rows = slice(i * h, (i + 1) * h)
        assert torch.equal(valid[:, :, rows], in_front)
        seen = in_front.expand(-1, 2, -1, -1)
        torch.testing.assert_close(pixels[:, :, rows][seen], wanted[seen], atol=1e-3, rtol=1e-4)
    with pytest.raises(ValueError, match=r'K must be \(2, 3, 3\)'):
        sweep(depths, K[:1], T)
