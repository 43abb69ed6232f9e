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

"""Who learns from what in each stage, and what stays as it is."""

import copy

from mdepth_ros.geometry.projection import warp
from mdepth_ros.training.losses import distillation_loss
from mdepth_ros.training.samples.sample import SampleBatch
from mdepth_ros.training.stages import triplet
from mdepth_ros.training.stages.multi_frame import run_multi_frame
from mdepth_ros.training.stages.refine import RefineObjective
from mdepth_ros.training.stages.single_frame import run_single_frame
from mdepth_ros.training.stages.step_random import StepRandom
from mdepth_ros.training.stages.student import StudentObjective
from mdepth_ros.training.stages.teacher import TeacherObjective
from mdepth_ros.training.stages.triplet import load, Motions
import pytest
from runs import first_batch, tiny_model
import torch
from torch.nn.modules.batchnorm import _BatchNorm

RANDOM = StepRandom(0, 0)


@pytest.fixture(scope='module')
def batch(rendered_folder):
    return first_batch(rendered_folder, batch=2)


def learns(module):
    """Whether any, and whether all parameters have a gradient that is not 0."""
    moved = [p.grad is not None and bool(p.grad.abs().sum() > 0) for p in module.parameters()]
    return any(moved), all(moved)


def state(module):
    return copy.deepcopy(module.state_dict())


def same(one, other):
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_teacher_teaches_all_three(batch):
    model = tiny_model()
    delta = model.multi.delta.clone()
    result = TeacherObjective(model).train()(batch, RANDOM)
    result.loss.backward()
    assert learns(model.single) == learns(model.pose) == learns(model.multi) == (True, True)
    assert torch.equal(model.multi.delta, delta)
    assert not any(view.requires_grad for view in result.views if view is not None)


def test_m_sends_nothing_into_s_and_pose(batch):
    model = tiny_model().train()
    clean, seen = load(batch)
    single = run_single_frame(model, clean, seen, batch.K)
    assert single.depth.requires_grad
    assert single.motions.before.requires_grad
    multi = run_multi_frame(model, clean, seen, single.depth, batch.K, single.motions, RANDOM)
    multi.loss.backward()
    assert learns(model.multi) == (True, True)
    assert learns(model.single) == learns(model.pose) == (False, False)


def test_student_learns_and_its_teacher_stays(batch):
    teacher, student = tiny_model(1), tiny_model(2)
    student.multi = copy.deepcopy(teacher.multi)
    objective = StudentObjective(student, teacher).train()
    before, multi, single = state(teacher), state(student.multi), state(student.single)
    objective(batch, RANDOM).loss.backward()
    torch.optim.Adam([p for p in objective.parameters() if p.requires_grad]).step()
    assert same(before, teacher.state_dict())
    assert same(multi, student.multi.state_dict())
    assert not same(single, student.single.state_dict())
    assert learns(student.single) == learns(student.pose) == (True, True)


def test_student_is_distilled_in_the_mask_alone(batch):
    teacher, student = tiny_model(1), tiny_model(2)
    objective = StudentObjective(student, teacher).train()
    result = objective(batch, RANDOM)
    views = result.views
    assert 0 < views.distilled.float().mean() < 1
    assert result.terms['distillation'].item() == pytest.approx(float(distillation_loss(
        views.single_depth, views.multi_depth, views.distilled)), rel=1e-5)
    everywhere = StudentObjective(student, teacher, masked=False).train()(batch, RANDOM)
    assert everywhere.views.distilled.all()
    assert everywhere.terms['distillation'] != result.terms['distillation']


def test_refine_leaves_s_and_pose(batch):
    model = tiny_model()
    objective = RefineObjective(model).train()
    single, pose, multi = state(model.single), state(model.pose), state(model.multi)
    objective(batch, RANDOM).loss.backward()
    torch.optim.Adam([p for p in objective.parameters() if p.requires_grad]).step()
    assert same(single, model.single.state_dict())
    assert same(pose, model.pose.state_dict())
    assert not same(multi, model.multi.state_dict())
    assert torch.equal(multi['delta'], model.multi.delta)


@pytest.mark.parametrize('stage', ['student', 'refine'])
def test_nothing_is_warped_that_nothing_is_learned_from(batch, monkeypatch, stage):
    """Two sources by the depth of each network that explains them, none by the prior."""
    model, warped = tiny_model(), []
    monkeypatch.setattr(triplet, 'warp', lambda *args: warped.append(args) or warp(*args))
    if stage == 'refine':
        views = RefineObjective(model).train()(batch, RANDOM).views
        assert len(warped) == 2
        assert torch.equal(views.warped, warp(*warped[0])[0])
    else:
        StudentObjective(model, tiny_model(1)).train()(batch, RANDOM)
        assert len(warped) == 4


def test_frozen_batch_norm_keeps_its_statistics_while_weights_learn(batch):
    model = tiny_model()
    objective = TeacherObjective(model)
    objective.freeze_batch_norm()
    objective.train()
    before = state(model)
    objective(batch, RANDOM).loss.backward()
    assert same(before, model.state_dict())
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    assert norms
    assert all(norm.weight.grad is not None for norm in norms)


def test_a_camera_that_stands_still_teaches_s_nothing(batch):
    """Its auto-mask is empty or nearly so; nothing becomes NaN."""
    still = SampleBatch(batch.frames[:, 1:2].expand(-1, 3, -1, -1, -1),
                        batch.augmented[:, 1:2].expand(-1, 3, -1, -1, -1), batch.K)
    model = tiny_model()
    result = TeacherObjective(model).train()(still, RANDOM)
    result.loss.backward()
    assert result.terms['single'] < 1e-4
    assert all(bool(p.grad.isfinite().all()) for p in model.parameters() if p.requires_grad)


def test_the_blind_patch_counts_outside_of_it_alone(batch):
    """Without a patch there is no difference to pay for."""
    class NoPatch(StepRandom):

        def corners(self, count, rows, columns):
            return []

    model = tiny_model().eval()
    clean, seen = load(batch)
    still = Motions(torch.eye(4).expand(2, 4, 4), torch.eye(4).expand(2, 4, 4))
    depth = torch.full((2, 1, 64, 64), 5.0)
    args = (model, clean, seen, depth, batch.K, still)
    assert run_multi_frame(*args, NoPatch(0, 0)).mask == 0
    assert run_multi_frame(*args, RANDOM).mask > 0


def test_steps_draw_alike_for_ranks_and_differently_for_steps():
    whole = torch.zeros(4, 2, 8, 8)
    one = StepRandom(3, 7)
    ranks = [StepRandom(3, 7, rank, 2) for rank in range(2)]
    assert torch.equal(one.tie_noise(whole),
                       torch.cat([rank.tie_noise(whole[:2]) for rank in ranks]))
    corners = one.corners(4, 43, 40)
    assert corners == ranks[0].corners(2, 43, 40) + ranks[1].corners(2, 43, 40)
    assert all(0 <= row < 43 and 0 <= column < 40 for row, column in corners)
    assert corners != StepRandom(3, 8).corners(4, 43, 40)
    assert corners != StepRandom(4, 7).corners(4, 43, 40)
