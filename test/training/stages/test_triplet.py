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

"""True depth and motion explain a rendered sequence; anything else does worse."""

from mdepth_ros.geometry.pose import invert_motion
from mdepth_ros.training.losses import automask, distillation_loss, masked_mean, minimum_error
from mdepth_ros.training.samples.sample import SampleBatch
from mdepth_ros.training.stages.triplet import (
    estimate_motions,
    explain,
    identity_errors,
    Motions,
    to_float,
    Triplet,
)
import pytest
import torch


@pytest.fixture(scope='module')
def truth(rendered):
    """Clean frames two apart, depth, K and motions of four targets."""
    targets = torch.arange(2, 8, 2)
    frames = [rendered.images[targets + step] for step in (-2, 0, 2)]
    T = rendered.T_world_camera.double()
    motions = Motions(*((invert_motion(T[targets + step]) @ T[targets]).float()
                        for step in (-2, 2)))
    depth = rendered.depth[targets].clamp(max=1000.0)
    return Triplet(*frames), depth, rendered.K.expand(len(targets), 3, 3), motions


def error(errors):
    return float(minimum_error(errors).mean())


def test_the_truth_explains_best(truth):
    clean, depth, K, motions = truth
    right = error(explain(clean, depth, K, motions).errors)
    assert right < 0.4 * error(identity_errors(clean))
    wrong = {
        'depth': explain(clean, 1.5 * depth, K, motions),
        'sign': explain(clean, depth, K, Motions(*map(invert_motion, motions))),
        'order': explain(clean, depth, K, Motions(motions.after, motions.before)),
        'intrinsics': explain(clean, depth, K * torch.tensor([[1.5], [1.5], [1.0]]), motions),
    }
    for name, explanation in wrong.items():
        assert error(explanation.errors) > 1.5 * right, name


def test_no_motion_leaves_the_sources(truth):
    clean, depth, K, _ = truth
    still = torch.eye(4).expand(len(depth), 4, 4)
    explanation = explain(clean, depth, K, Motions(still, still))
    assert torch.allclose(explanation.warped[0], clean.before, atol=1e-4)
    assert torch.allclose(explanation.errors, identity_errors(clean), atol=1e-3)


@pytest.mark.parametrize('spoiled', ['depth', 'K', 'before', 'after'])
def test_what_is_not_finite_gives_nan_and_no_crash(truth, spoiled):
    """Without the guard, the gradient of this ends the process with a segmentation fault."""
    clean, depth, K, motions = truth
    values = {'depth': depth, 'K': K, 'before': motions.before, 'after': motions.after}
    values = {name: value.clone() for name, value in values.items()}
    values[spoiled][0, 0, 0] = float('nan')
    leaf = values['depth'].requires_grad_()
    errors = explain(clean, leaf, values['K'], Motions(values['before'], values['after'])).errors
    errors.sum().backward()
    assert errors.isnan().any()


def test_the_auto_mask_counts_what_moves_as_the_camera_says(truth):
    clean, depth, K, motions = truth
    identity = identity_errors(clean)
    assert automask(explain(clean, depth, K, motions).errors, identity).float().mean() > 0.7
    still = Triplet(clean.target, clean.target, clean.target)
    assert not automask(explain(still, depth, K, motions).errors, identity_errors(still)).any()


def test_an_empty_mask_gives_zero_and_a_gradient_of_zero():
    values = torch.rand(2, 1, 8, 8, requires_grad=True)
    nothing = torch.zeros(2, 1, 8, 8, dtype=torch.bool)
    loss = masked_mean(values, nothing) + distillation_loss(1 + values, torch.rand(2, 1, 8, 8),
                                                            nothing)
    loss.backward()
    assert loss == 0
    assert (values.grad == 0).all()


def test_the_pose_network_sees_time_in_one_direction(truth):
    """A stand-in that knows T_later_earlier from how bright the two frames are."""
    def pose(earlier, later):
        shift = torch.zeros(len(earlier), 3)
        shift[:, 2] = later.mean(dim=(1, 2, 3)) - earlier.mean(dim=(1, 2, 3))
        return torch.zeros(len(earlier), 3), shift

    levels = Triplet(*(torch.full((2, 3, 4, 4), level) for level in (0.1, 0.3, 0.9)))
    motions = estimate_motions(pose, levels)
    # From before to target +0.2, so from target to before -0.2.
    assert motions.before[:, 2, 3].tolist() == pytest.approx([-0.2] * 2)
    assert motions.after[:, 2, 3].tolist() == pytest.approx([0.6] * 2)


def test_frames_keep_their_order():
    frames = torch.arange(3, dtype=torch.uint8).view(1, 3, 1, 1, 1).expand(1, 3, 3, 4, 4)
    batch = SampleBatch(frames, frames, torch.eye(3)[None])
    before, target, after = to_float(batch.frames)
    assert [float(image.mean()) * 255 for image in (before, target, after)] == pytest.approx(
        [0, 1, 2])
