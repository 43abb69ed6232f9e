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

"""Fine-tuning from weights that are right: wrong tracks, a free scale, and a plain sky."""

import math

from mdepth_ros.geometry.projection import pixel_grid, project, transform
from mdepth_ros.training.stages.motion_scale import follow_scale
from mdepth_ros.training.stages.start_depth import credible_tracks, departure, StartDepth
from mdepth_ros.training.stages.step_random import StepRandom
from mdepth_ros.training.stages.teacher import TeacherObjective
from mdepth_ros.training.stages.track_error import track_error
from mdepth_ros.training.stages.triplet import follow_motions, Motions
import pytest
from runs import first_batch, tiny_model
import torch

WIDTH, HEIGHT, COUNT = 128, 64, 64
K = torch.tensor([[120.0, 0, 63.5], [0, 120.0, 31.5], [0, 0, 1]])[None]


@pytest.fixture
def road(request):
    """Return depth, motions and exact tracks of a drive on a flat road to a far wall."""
    _, y, _ = pixel_grid(HEIGHT, WIDTH, K)
    depth = (1.3 * 120 / (y - 31.5).clamp(min=3.0)).expand(1, 1, HEIGHT, WIDTH).clone()
    T = torch.eye(4)[None].repeat(2, 1, 1)
    T[:, 2, 3] = torch.tensor([1.0, -1.0])
    random = torch.Generator().manual_seed(getattr(request, 'param', 0))
    start = torch.stack([torch.randint(20, WIDTH - 20, (COUNT,), generator=random),
                         torch.randint(4, HEIGHT - 12, (COUNT,), generator=random)])
    rays = K[0].inverse() @ torch.cat([start.float(), torch.ones(1, COUNT)])
    points = (rays * depth[0, 0, start[1], start[0]]).expand(2, 3, COUNT).unsqueeze(2)
    ends = project(transform(T, points), K.expand(2, 3, 3))[0].squeeze(2)
    tracks = torch.cat([start.float().expand(2, 2, COUNT), ends], dim=1).transpose(1, 2)[None]
    return depth, Motions(T[:1], T[1:]), tracks


@pytest.mark.parametrize('road', [0, 1, 3, 4, 5], indirect=True)
def test_points_that_stand_still_on_a_near_road_are_not_credible(road):
    depth, _, tracks = road
    assert credible_tracks(tracks, depth, K).isfinite().all()
    near = torch.arange(COUNT) % 2 == 0
    near &= (tracks[0, :, :, 2:] - tracks[0, :, :, :2]).norm(dim=2).amin(dim=0) > 2
    assert near.sum() >= 3
    stuck = tracks.clone()
    stuck[:, :, near, 2:] = stuck[:, :, near, :2]
    left = credible_tracks(stuck, depth, K)
    assert left[:, :, near].isnan().all()
    torch.testing.assert_close(left[:, :, ~near], tracks[:, :, ~near])
    # Depth that is wrong by a third is right enough.
    assert credible_tracks(tracks, 1.3 * depth, K).isfinite().float().mean() > 0.95


def test_nothing_depends_on_the_scale_where_motions_follow_it(road):
    """A wrong shape and noisy tracks, whose error slopes in all directions but that one."""
    depth, _, tracks = road
    noise = torch.randn(tracks.shape, generator=torch.Generator().manual_seed(1))
    tracks = tracks + 0.3 * noise
    wrong = depth * (1 + 0.3 * torch.sin(pixel_grid(HEIGHT, WIDTH, K)[0] / 9))
    identity = torch.eye(4)[None]
    scale = torch.zeros((), requires_grad=True)
    solved = follow_motions(tracks, wrong, K, Motions(identity, identity))
    slopes = {}
    for name, motions in (('fixed', solved),
                          ('following', follow_scale(solved, wrong * scale.exp(), K, tracks))):
        error = track_error(wrong * scale.exp(), K, motions, tracks)
        slopes[name] = float(torch.autograd.grad(error, scale)[0])
        for T, same in zip(motions, solved):
            torch.testing.assert_close(T, same)
    assert abs(slopes['fixed']) > 1e-4
    assert abs(slopes['following']) < 1e-3 * abs(slopes['fixed'])


def test_motions_without_tracks_stay_as_they_are(road):
    depth, motions, tracks = road
    depth.requires_grad_()
    none = torch.full_like(tracks, torch.nan)
    followed = follow_scale(motions, depth, K, none)
    for T, same in zip(followed, motions):
        assert torch.equal(T, same)
    followed.before.sum().backward()
    assert not depth.grad.any()


def test_departure_is_the_mean_ratio_and_its_slope_the_same_at_any_distance():
    start = torch.full((1, 1, 4, 4), 5.0)
    assert departure(start, start) == 0
    for factor in (1.1, 3.0, 1 / 3):
        depth = (factor * start).requires_grad_()
        error = departure(depth, start)
        assert float(error.detach()) == pytest.approx(abs(math.log(factor)), rel=1e-5)
        slope = torch.autograd.grad(error, depth)[0] * depth
        torch.testing.assert_close(slope.abs(), torch.full_like(slope, 1 / 16))


def test_the_start_stays_while_the_model_learns(rendered_folder):
    batch = first_batch(rendered_folder, batch=2)
    model = tiny_model()
    objective = TeacherObjective(model, hold_start=0.05).train()
    shown = batch.augmented[:, 1] / 255, batch.K
    before = objective.start(*shown)
    optimiser = torch.optim.Adam([p for p in objective.parameters() if p.requires_grad], lr=1e-3)
    for step in range(2):
        result = objective(batch, StepRandom(0, step))
        optimiser.zero_grad()
        result.loss.backward()
        optimiser.step()
    assert torch.equal(objective.start(*shown), before)
    assert StartDepth(model)(*shown).sub(before).abs().max() > 1e-3
    assert not any(p.grad is not None for p in objective.start.parameters())
