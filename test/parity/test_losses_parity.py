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

"""The losses against arrays measured on the authors' code."""

from pathlib import Path

from mdepth_ros.training import losses
import numpy as np
import pytest
import torch

DATA = Path(__file__).parent / 'data' / 'losses.npz'
INPUTS = {
    'target', 'warped_previous', 'warped_next', 'source_previous', 'source_next', 'disparity',
    'teacher_warped_previous', 'teacher_warped_next', 'student_depth', 'teacher_depth',
}


@pytest.fixture(scope='module')
def reference():
    with np.load(DATA) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays}


@pytest.fixture(scope='module')
def ours(reference):
    r = reference
    warped = losses.source_errors(r['target'], [r['warped_previous'], r['warped_next']])
    identity = losses.source_errors(r['target'], [r['source_previous'], r['source_next']])
    teacher = losses.source_errors(
        r['target'], [r['teacher_warped_previous'], r['teacher_warped_next']])
    return {
        'photometric_previous': warped[:, :1],
        'photometric_next': warped[:, 1:],
        'identity_previous': identity[:, :1],
        'identity_next': identity[:, 1:],
        'min_reprojection': losses.minimum_error(warped),
        'automask': losses.automask(warped, identity),
        'smoothness': losses.smoothness(r['disparity'], r['target']),
        'distillation_mask': losses.distillation_mask(teacher, warped, identity),
        'distillation_loss': losses.distillation_loss(
            r['student_depth'], r['teacher_depth'], r['distillation_mask']),
    }


def test_every_array_is_covered(reference, ours):
    assert set(reference) == INPUTS | set(ours)


@pytest.mark.parametrize('name', [
    'photometric_previous', 'photometric_next', 'identity_previous', 'identity_next',
    'min_reprojection', 'smoothness', 'distillation_loss'])
def test_values(reference, ours, name):
    scale = reference[name].abs().max()
    error = ((ours[name] - reference[name]).abs().max() / scale).item()
    print(f'{name}: {error:.2e} of the largest value')
    torch.testing.assert_close(ours[name], reference[name], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize('name', ['automask', 'distillation_mask'])
def test_masks(reference, ours, name):
    differing = (ours[name] != reference[name]).sum().item()
    print(f'{name}: {differing} of {ours[name].numel()} pixels differ')
    assert 0 < reference[name].sum() < reference[name].numel()
    assert differing == 0


def test_parity_covers_what_is_compared(ours):
    compared = {mark for test in (test_values, test_masks)
                for mark in test.pytestmark[0].args[1]}
    assert compared == set(ours)
