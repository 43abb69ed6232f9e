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

"""Followed points made from true depth and motion: their error, and the motion they give."""

from mdepth_ros.geometry.pose import invert_motion, motion_from_parameters
from mdepth_ros.geometry.projection import pixel_grid, project, transform
from mdepth_ros.training.stages.track_error import track_error, WORST
from mdepth_ros.training.stages.triplet import follow_motions, Motions
import pytest
import torch

SIZE, COUNT = 64, 48
K = torch.tensor([[60.0, 0, 31.5], [0, 60.0, 31.5], [0, 0, 1]])[None]


@pytest.fixture
def truth():
    """Two targets, smooth depth, true motions, exact tracks of points on whole pixels."""
    x, y, _ = pixel_grid(SIZE, SIZE, K)
    depth = (4 + 0.02 * x - 0.01 * y).expand(2, 1, SIZE, SIZE).clone()
    random = torch.Generator().manual_seed(0)
    before, after = (motion_from_parameters(0.05 * torch.randn(2, 3, generator=random),
                                            0.2 * torch.randn(2, 3, generator=random))
                     for _ in range(2))
    start = torch.randint(12, SIZE - 12, (2, 2, COUNT), generator=random)  # (B, 2, N)
    z = torch.stack([depth[b, :, start[b, 1], start[b, 0]] for b in range(2)])
    rays = K.inverse() @ torch.cat([start.float(), torch.ones(2, 1, COUNT)], dim=1)
    points = (rays * z).unsqueeze(2)
    ends = [project(transform(T, points), K.expand(2, 3, 3))[0].squeeze(2)
            for T in (before, after)]
    tracks = torch.stack([torch.cat([start.float(), end], dim=1).transpose(1, 2)
                          for end in ends], dim=1)  # (B, 2, N, 4)
    return depth, Motions(before, after), tracks


def error(depth, motions, tracks):
    return track_error(depth, K.expand(2, 3, 3), motions, tracks)


def test_no_error_at_the_truth(truth):
    assert error(*truth) < 1e-5


def test_the_error_is_the_distance_as_a_share_of_the_width(truth):
    depth, motions, tracks = truth
    moved = tracks + torch.tensor([0, 0, 3.0, 4.0])
    assert float(error(depth, motions, moved)) == pytest.approx(5 / SIZE, rel=0.02)
    assert float(error(depth, motions, tracks + torch.tensor([0, 0, 1e4, 0]))) == pytest.approx(
        WORST)


def test_the_error_grows_with_wrong_depth_and_motion(truth):
    depth, motions, tracks = truth
    by_depth = [float(error(scale * depth, motions, tracks)) for scale in (1.0, 1.1, 1.5, 3.0)]
    assert by_depth == sorted(by_depth)
    assert by_depth[-1] > 10 * by_depth[0] + 1e-3
    swapped = Motions(motions.after, motions.before)
    assert error(depth, swapped, tracks) > error(3 * depth, motions, tracks)


def test_points_that_were_not_found_are_left_out(truth):
    depth, motions, tracks = truth
    tracks = tracks + torch.tensor([0, 0, 2.0, 0])
    few = tracks.clone()
    few[:, :, 10:] = torch.nan
    torch.testing.assert_close(error(depth, motions, few),
                               error(depth, motions, tracks[:, :, :10]))


def test_the_gradient_reaches_depth_and_motions(truth):
    depth, motions, tracks = truth
    tracks = torch.where(torch.arange(COUNT)[:, None] < 40, tracks, torch.nan)
    depth = (1.2 * depth).requires_grad_()
    moved = Motions(*(T.clone().requires_grad_() for T in motions))
    error(depth, moved, tracks).backward()
    for tensor in (depth, *moved):
        assert tensor.grad.isfinite().all()
        assert tensor.grad.abs().sum() > 0
    # Less depth is right.
    assert depth.grad.sum() > 0


def test_no_points_give_nothing(truth):
    depth, motions, tracks = truth
    depth.requires_grad_()
    for none in (torch.full_like(tracks, torch.nan), tracks[:, :, :0]):
        assert error(depth, motions, none) == 0
        error(depth, motions, none).backward()
        assert depth.grad is None or not depth.grad.any()


def test_followed_motions_are_the_true_ones(truth):
    depth, motions, tracks = truth
    wrong = Motions(*(invert_motion(T) for T in motions))
    solved = follow_motions(tracks, depth, K.expand(2, 3, 3), wrong)
    for T, true in zip(solved, motions):
        torch.testing.assert_close(T, true, atol=1e-4, rtol=0)


@pytest.mark.parametrize('depth_is', ['right', 'unknown'])
def test_geometry_stays_exact_under_autocast(truth, depth_is):
    """By the depth, and by epipolar lines alone where that is quite wrong."""
    depth, motions, tracks = truth
    if depth_is == 'unknown':
        random = torch.Generator().manual_seed(1)
        depth = depth * (1 + 3 * torch.rand(depth.shape, generator=random))
    exact = follow_motions(tracks, depth, K.expand(2, 3, 3), motions)
    with torch.autocast('cpu', torch.bfloat16):
        rounded = follow_motions(tracks, depth, K.expand(2, 3, 3), motions)
        assert error(truth[0], motions, tracks) < 1e-5
    for T, expected in zip(rounded, exact):
        torch.testing.assert_close(T, expected, atol=1e-4, rtol=0)


def test_a_sample_without_points_keeps_its_motion(truth):
    depth, motions, tracks = truth
    wrong = Motions(*(invert_motion(T).requires_grad_() for T in motions))
    tracks[1, 0, 19:] = torch.nan  # one too few
    solved = follow_motions(tracks, depth, K.expand(2, 3, 3), wrong)
    torch.testing.assert_close(solved.before[0], motions.before[0], atol=1e-4, rtol=0)
    assert torch.equal(solved.before[1], wrong.before[1])
    torch.testing.assert_close(solved.after, motions.after, atol=1e-4, rtol=0)
    # PoseNet still learns where it was asked.
    solved.before.sum().backward()
    assert wrong.before.grad[1].any()
    assert not wrong.before.grad[0].any()
    assert wrong.after.grad is None
