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

"""Exact points, seen by a camera that is known to have moved: the motion must come back."""

import math

from mdepth_ros.engine import resection
from mdepth_ros.geometry.pose import motion_from_parameters
import pytest
import torch

WIDTH, HEIGHT = 416.0, 288.0


def solve_motion(*tensors):
    return torch.from_numpy(resection.solve_motion(*(x.numpy() for x in tensors)))


def unexplained(*tensors):
    return torch.from_numpy(resection.unexplained(*(x.numpy() for x in tensors)))


def scene(B=20, N=100, seed=0, degrees=20.0, share=0.5):
    """Points 3 to 10 m away, all in view; random motions up to an angle and a share of 3 m."""
    random = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.rand(*shape, generator=random, dtype=torch.float64)

    def direction():
        vector = torch.randn(B, 3, generator=random, dtype=torch.float64)
        return vector / vector.norm(dim=1, keepdim=True) * draw(B, 1)

    K = torch.tensor([[300.0, 0, 207], [0, 310, 143], [0, 0, 1]]).double().repeat(B, 1, 1)
    seen = torch.stack([draw(B, N) * WIDTH, draw(B, N) * HEIGHT, torch.ones(B, N).double()], dim=1)
    points = K.inverse() @ seen * (3 + 7 * draw(B, 1, N))
    T = motion_from_parameters(direction() * math.radians(degrees), direction() * 3 * share)
    image = K @ (T[:, :3, :3] @ points + T[:, :3, 3:])
    return points, image[:, :2] / image[:, 2:], torch.ones(B, N, dtype=torch.bool), K, T


def spoil(pixels, share, seed=1):
    """Put a share of the points anywhere, and move the others by 0.1 px of noise."""
    random = torch.Generator().manual_seed(seed)
    B, _, N = pixels.shape
    wrong = torch.rand(B, 1, N, generator=random) < share
    anywhere = torch.rand(pixels.shape, generator=random) * torch.tensor([[WIDTH], [HEIGHT]])
    noise = 0.1 * torch.randn(pixels.shape, generator=random, dtype=torch.float64)
    return torch.where(wrong, anywhere.double(), pixels + noise)


def rotation_error(T, truth):
    """Angles (B,) between two motions' rotations [deg]."""
    away = (T[:, :3, :3] - truth[:, :3, :3]).double().flatten(1).norm(dim=1)
    return torch.rad2deg(2 * torch.asin(away / math.sqrt(8)))


def translation_error(T, truth):
    return (T[:, :3, 3] - truth[:, :3, 3]).double().norm(dim=1)


def test_exact_points_give_the_exact_motion():
    points, pixels, valid, K, T = scene(B=100)
    solved = solve_motion(points, pixels, valid, K)
    assert solved.dtype == torch.float64
    assert rotation_error(solved, T).max() < 5e-5
    assert translation_error(solved, T).max() < 1e-5
    torch.testing.assert_close(solved[:, 3], T[:, 3])


@pytest.mark.parametrize(('degrees', 'share'), [(20.0, 0.5), (5.0, 0.05), (20.0, 0.0), (0.0, 0.5)])
def test_a_third_of_wrong_tracks_does_little_harm(degrees, share):
    points, pixels, valid, K, T = scene(degrees=degrees, share=share)
    solved = solve_motion(points, spoil(pixels, 0.3), valid, K)
    assert rotation_error(solved, T).max() < 0.1
    assert translation_error(solved, T).max() < 0.03  # [m], at 3 to 10 m


def test_float32_points_are_solved_in_double_precision():
    points, pixels, valid, K, _ = scene()
    exact = solve_motion(points, pixels, valid, K)
    solved = solve_motion(points.float(), pixels.float(), valid, K)
    assert solved.dtype == torch.float64
    torch.testing.assert_close(solved, exact, atol=1e-5, rtol=1e-5)


def test_points_that_do_not_count_do_not_count():
    points, pixels, valid, K, T = scene(N=60)
    valid[:, 30:] = False
    points[:, :, 30:45], pixels[:, :, 30:] = -points[:, :, 30:45], 1e4
    assert rotation_error(solve_motion(points, pixels, valid, K), T).max() < 5e-5


def test_unknown_points_are_left_out_and_spoil_nothing():
    points, pixels, valid, K, _ = scene(B=3)
    whole = solve_motion(points[..., 3:], pixels[..., 3:], valid[:, 3:], K)
    points[..., 0], pixels[..., 1], points[..., 2] = math.nan, math.inf, math.inf
    torch.testing.assert_close(solve_motion(points, pixels, valid, K), whole)


def test_points_behind_the_camera_count_for_nothing():
    points, pixels, valid, K, T = scene(N=60)
    points[:, 2, :10] *= -1
    assert rotation_error(solve_motion(points, pixels, valid, K), T).max() < 5e-5


@pytest.mark.parametrize('count', [0, 5])
def test_too_few_points_tell_no_motion(count):
    points, pixels, valid, K, _ = scene(B=2)
    valid[:, count:] = False
    same = torch.eye(4, dtype=torch.float64).repeat(2, 1, 1)
    assert torch.equal(solve_motion(points, pixels, valid, K), same)


def test_no_points_at_all():
    _, _, _, K, _ = scene(B=2)
    none = [torch.zeros(2, n, 0, dtype=torch.float64) for n in (3, 2)]
    none.append(torch.zeros(2, 0, dtype=torch.bool))
    same = torch.eye(4, dtype=torch.float64).repeat(2, 1, 1)
    assert torch.equal(solve_motion(*none, K), same)


def test_a_sample_does_not_depend_on_its_batch():
    points, pixels, valid, K, _ = scene()
    pixels = spoil(pixels, 0.3)
    together = solve_motion(points, pixels, valid, K)
    for i in range(len(K)):
        alone = solve_motion(*(x[i:i + 1] for x in (points, pixels, valid, K)))
        torch.testing.assert_close(together[i:i + 1], alone, atol=1e-9, rtol=0)


def test_the_motion_scales_with_the_points():
    points, pixels, valid, K, _ = scene()
    once, twice = (solve_motion(scale * points, pixels, valid, K) for scale in (1, 2))
    torch.testing.assert_close(twice[:, :3, 3], 2 * once[:, :3, 3], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(twice[:, :3, :3], once[:, :3, :3], atol=1e-6, rtol=0)


def test_skewed_and_unequal_pixels():
    points, _, valid, K, T = scene()
    K[:, 0, 1], K[:, 1, 1] = 2.0, 150.0
    image = K @ (T[:, :3, :3] @ points + T[:, :3, 3:])
    solved = solve_motion(points, image[:, :2] / image[:, 2:], valid, K)
    assert rotation_error(solved, T).max() < 1e-4


def test_depth_explains_what_it_may_and_no_more():
    points, pixels, _, K, T = scene()
    assert float(unexplained(points, pixels, T, K).max()) < 1e-6
    nearer = unexplained(0.7 * points, pixels, T, K)
    assert float(nearer.median()) < 0.3
    too_long = T.clone()
    too_long[:, :3, 3] *= 20
    assert float(unexplained(points, pixels, too_long, K).median()) > 50
