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

from mdepth_ros.training import losses
import pytest
import torch


def image(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_equal_images_have_no_error():
    a = image(2, 3, 8, 9)
    assert losses.photometric_error(a, a.clone()).abs().max() < 1e-6
    assert (losses.ssim(a, a.clone()) - 1).abs().max() < 1e-5


def test_constant_images_by_hand():
    # Without variance SSIM is (2ab + C1) / (a^2 + b^2 + C1).
    a, b = (torch.full((1, 3, 5, 5), value).double() for value in (0.2, 0.6))
    similarity = (2 * 0.12 + 1e-4) / (0.04 + 0.36 + 1e-4)
    expected = 0.85 * (1 - similarity) / 2 + 0.15 * 0.4
    error = losses.photometric_error(a, b)
    assert error.shape == (1, 1, 5, 5)
    assert torch.allclose(error, torch.tensor(expected).double(), atol=1e-6)


def test_photometric_error_is_symmetric_and_bounded():
    a, b = image(2, 3, 8, 9), image(2, 3, 8, 9, seed=1)
    error = losses.photometric_error(a, b)
    assert torch.allclose(error, losses.photometric_error(b, a), atol=1e-6)
    assert error.min() >= 0
    assert error.max() <= 1


def test_photometric_error_gradient():
    a = image(1, 1, 4, 5).double().requires_grad_()
    b = image(1, 1, 4, 5, seed=1).double()
    assert torch.autograd.gradcheck(lambda x: losses.photometric_error(x, b), a)


def test_minimum_takes_the_better_source():
    target = image(1, 3, 6, 6)
    errors = losses.source_errors(target, [image(1, 3, 6, 6, seed=1), target.clone()])
    assert errors.shape == (1, 2, 6, 6)
    assert losses.minimum_error(errors).max() < 1e-6


def test_automask_drops_a_static_scene():
    a, b = image(1, 3, 16, 16), image(1, 3, 16, 16, seed=1)
    errors = losses.source_errors(a, [b])
    assert not losses.automask(errors, errors).any()
    generator = torch.Generator().manual_seed(0)
    noise = losses.tie_noise(errors, generator)
    assert noise.abs().max() < 1e-4
    broken = losses.automask(errors, errors, noise).float().mean()
    assert 0.3 < broken < 0.7


def test_tie_noise_repeats():
    like = torch.zeros(1, 2, 4, 4)
    a, b = (losses.tie_noise(like, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(a, b)


def test_masked_mean_of_nothing():
    values = torch.full((1, 1, 2, 2), math.nan, requires_grad=True)
    mean = losses.masked_mean(values, torch.zeros(1, 1, 2, 2, dtype=torch.bool))
    mean.backward()
    assert mean == 0
    assert torch.equal(values.grad, torch.zeros_like(values))


def test_smoothness_by_hand():
    # Mean 2, normalised 0.5 | 1.5: one horizontal step of 1 at an image step of 0.5.
    disparity = torch.tensor([[[[1.0, 3.0], [1.0, 3.0]]]])
    picture = torch.tensor([[[[0.0, 0.5], [0.0, 0.5]]]])
    assert losses.smoothness(disparity, picture).item() == pytest.approx(math.exp(-0.5), rel=1e-5)


def test_smoothness_ignores_scale():
    disparity, picture = image(2, 1, 6, 7) + 0.1, image(2, 3, 6, 7, seed=1)
    assert torch.allclose(losses.smoothness(disparity, picture),
                          losses.smoothness(7 * disparity, picture), rtol=1e-4)


def test_distillation_mask_needs_to_beat_both():
    teacher = torch.tensor([0.1, 0.1, 0.1, 0.3]).view(1, 1, 1, 4)
    student = torch.tensor([0.2, 0.1, 0.2, 0.2]).view(1, 1, 1, 4)
    identity = torch.tensor([0.2, 0.2, 0.05, 0.4]).view(1, 1, 1, 4)
    mask = losses.distillation_mask(teacher, student, identity)
    assert mask.flatten().tolist() == [True, False, False, False]


def test_distillation_loss_by_hand_and_scale():
    teacher = torch.ones(1, 1, 1, 4)
    student = torch.tensor([1.0, 1.0, math.e, math.e]).view(1, 1, 1, 4)
    mask = torch.ones(1, 1, 1, 4, dtype=torch.bool)
    assert losses.distillation_loss(student, teacher, mask).item() == pytest.approx(0.5, rel=1e-5)
    assert losses.distillation_loss(9 * student, teacher, mask).item() == pytest.approx(
        0.5, rel=1e-4)
    half = mask.clone()
    half[..., 2:] = False
    assert losses.distillation_loss(student, teacher, half) < 2e-4


@pytest.mark.parametrize('selected', [True, False])
def test_distillation_loss_has_a_finite_gradient_at_its_corners(selected):
    teacher = image(1, 1, 4, 4) + 1
    student = teacher.clone().requires_grad_()
    mask = torch.full((1, 1, 4, 4), selected)
    loss = losses.distillation_loss(student, teacher, mask)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(student.grad).all()
    assert loss.item() == pytest.approx(0.0, abs=2e-4)


def test_distillation_loss_ignores_what_is_masked():
    teacher, student = image(1, 1, 4, 4) + 1, image(1, 1, 4, 4, seed=1) + 1
    mask = image(1, 1, 4, 4, seed=2) > 0.5
    expected = losses.distillation_loss(student, teacher, mask)
    broken = torch.where(mask, student, torch.nan).requires_grad_()
    loss = losses.distillation_loss(broken, torch.where(mask, teacher, -1.0), mask)
    loss.backward()
    assert torch.equal(loss, expected)
    assert torch.isfinite(broken.grad).all()


@pytest.mark.parametrize('call', [
    lambda: losses.ssim(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 5)),
    lambda: losses.photometric_error(torch.zeros(3, 4, 4), torch.zeros(3, 4, 4)),
    lambda: losses.source_errors(torch.zeros(1, 3, 4, 4), []),
    lambda: losses.smoothness(torch.zeros(1, 2, 4, 4), torch.zeros(1, 3, 4, 4)),
    lambda: losses.distillation_loss(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 4, 4),
                                     torch.ones(1, 4, 4, dtype=torch.bool)),
])
def test_bad_shapes_are_refused(call):
    with pytest.raises(ValueError, match=r'must'):
        call()


def test_a_weighted_mean_is_that_of_the_joined_batch(monkeypatch):
    """Whatever share of the weight each process has."""
    values, weight = image(4, 1, 8, 9), image(4, 1, 8, 9, seed=1)
    weight[:2] *= 0.1
    expected = (values * weight).sum() / weight.sum()
    assert torch.allclose(losses.weighted_mean(values, weight), expected)
    others = iter([(values[2:] * weight[2:]).sum(), weight[2:].sum()])
    monkeypatch.setattr(losses, 'sum_over_ranks', lambda mine: mine + next(others))
    assert torch.allclose(losses.weighted_mean(values[:2], weight[:2]), expected)
    monkeypatch.undo()
    assert losses.weighted_mean(values, 0 * weight) == 0
