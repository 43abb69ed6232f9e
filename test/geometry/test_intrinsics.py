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
from mdepth_ros.geometry.intrinsics import (
    intrinsics_from_fov,
    invert_intrinsics,
    resize_intrinsics,
    stride_intrinsics,
)
import pytest
import torch

K = torch.tensor([[500.0, 2.0, 319.5], [0.0, 510.0, 239.5], [0.0, 0.0, 1.0]])


def test_fov_by_hand():
    # 90 degrees: the outer edge of the first column, at -0.5 px, is 45 degrees to the left.
    assert intrinsics_from_fov(90.0, 640, 480).tolist() == [
        pytest.approx([320.0, 0.0, 319.5]), pytest.approx([0.0, 320.0, 239.5]), [0.0, 0.0, 1.0]]


@pytest.mark.parametrize('fov', [0.0, 180.0, -20.0, math.nan])
def test_fov_out_of_range(fov):
    with pytest.raises(ValueError, match='horizontal_fov_deg must be in'):
        intrinsics_from_fov(fov, 640, 480)


def test_resize_moves_pixel_edges_like_the_image():
    # The left edge of the image is at -0.5 px before and after; the right one at width - 0.5.
    half = resize_intrinsics(K, 0.5, 0.25)
    for x in (-0.5, 639.5):
        ray = (x - K[0, 2]) / K[0, 0]
        assert ray * half[0, 0] + half[0, 2] == pytest.approx((x + 0.5) * 0.5 - 0.5, abs=1e-4)
    assert half[1, 1] == 510.0 * 0.25
    assert half[0, 1] == 1.0


@given(st.floats(0.05, 20.0), st.floats(0.05, 20.0))
def test_resize_round_trip(sx, sy):
    back = resize_intrinsics(resize_intrinsics(K.double(), sx, sy), 1 / sx, 1 / sy)
    assert torch.allclose(back, K.double(), atol=1e-9)


def test_stride_follows_every_nth_pixel():
    quarter = stride_intrinsics(K, 4)
    for i in (0, 7, 159):
        ray = (4 * i - K[0, 2]) / K[0, 0]
        assert ray * quarter[0, 0] + quarter[0, 2] == pytest.approx(i, abs=1e-4)
    assert quarter[2].tolist() == [0.0, 0.0, 1.0]


@given(st.floats(10, 3000), st.floats(10, 3000), st.floats(-50, 50), st.floats(-100, 2000),
       st.floats(-100, 2000))
def test_inverse(fx, fy, skew, cx, cy):
    matrix = torch.tensor([[fx, skew, cx], [0, fy, cy], [0, 0, 1]], dtype=torch.float64)
    product = invert_intrinsics(matrix) @ matrix
    assert torch.allclose(product, torch.eye(3, dtype=torch.float64), atol=1e-9)


def test_nothing_is_changed_in_place():
    before = K.clone()
    resize_intrinsics(K, 0.5, 0.5)
    stride_intrinsics(K, 4)
    invert_intrinsics(K)
    assert torch.equal(K, before)
