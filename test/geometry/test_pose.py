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
from mdepth_ros.geometry.pose import (
    axis_angle_to_rotation,
    invert_motion,
    motion_from_parameters,
)
import pytest
import torch
from torch.autograd import gradcheck

vectors = st.lists(st.floats(-3, 3), min_size=3, max_size=3).map(
    lambda values: torch.tensor([values], dtype=torch.float64))


def test_quarter_turn_by_hand():
    # A quarter turn about y (down) takes forward (z) to right (x).
    R = axis_angle_to_rotation(torch.tensor([[0.0, math.pi / 2, 0.0]]))[0]
    assert torch.allclose(R @ torch.tensor([0.0, 0.0, 1.0]), torch.tensor([1.0, 0.0, 0.0]),
                          atol=1e-6)


@given(vectors)
def test_rotation_is_the_matrix_exponential(vector):
    x, y, z = vector[0].tolist()
    skew = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64)
    assert torch.allclose(axis_angle_to_rotation(vector)[0], torch.linalg.matrix_exp(skew),
                          atol=1e-9)


@given(vectors, vectors)
def test_inverse(vector, translation):
    T = motion_from_parameters(vector, translation)
    assert torch.allclose(invert_motion(T) @ T, torch.eye(4, dtype=torch.float64), atol=1e-9)


@pytest.mark.parametrize('size', [0.0, 1e-4, 0.0099, 0.0101, 2.0])
def test_gradients_also_at_zero(size):
    vector = size * torch.tensor([[0.6, 0.0, 0.8]], dtype=torch.float64)
    assert gradcheck(axis_angle_to_rotation, vector.requires_grad_())


def test_bad_shapes():
    with pytest.raises(ValueError, match=r'axis_angle must be \(B, 3\), got \(3,\)'):
        axis_angle_to_rotation(torch.zeros(3))
    with pytest.raises(ValueError, match=r'translation must be \(1, 3\) like axis_angle, got'):
        motion_from_parameters(torch.zeros(1, 3), torch.zeros(2, 3))
    with pytest.raises(ValueError, match=r'T must be \(\.\.\., 4, 4\), got \(3, 4\)'):
        invert_motion(torch.zeros(3, 4))
