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

from hypothesis import given
from hypothesis import strategies as st
from mdepth_ros.geometry.depth import depth_to_disparity, disparity_to_depth
import pytest
import torch

RANGE = 0.1, 100.0


def test_ends_and_middle_by_hand():
    depth = disparity_to_depth(torch.tensor([0.0, 0.5, 1.0]), 0.1, 100.0)
    assert depth.tolist() == pytest.approx([100.0, 1 / (0.01 + 0.5 * 9.99), 0.1])


@given(st.floats(0, 1))
def test_round_trip(disparity):
    value = torch.tensor(disparity, dtype=torch.float64)
    assert float(depth_to_disparity(disparity_to_depth(value, *RANGE), *RANGE)) == pytest.approx(
        disparity, abs=1e-9)


@pytest.mark.parametrize('bounds', [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0)])
def test_bad_range(bounds):
    for convert in (disparity_to_depth, depth_to_disparity):
        with pytest.raises(ValueError, match='need 0 < min_depth < max_depth, got'):
            convert(torch.ones(1), *bounds)
