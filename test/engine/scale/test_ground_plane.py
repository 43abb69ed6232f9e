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

from ground_views import HEIGHT, stairs, View
from mdepth_ros.engine.scale.ground_plane import ground_height, GroundPrior
import numpy as np
import pytest
import torch

LEVEL = GroundPrior()


def measured(view, noise=0.0, seed=0, prior=LEVEL, valid=None):
    depth = view.depth(noise, seed)
    return ground_height(depth, torch.ones_like(depth, dtype=torch.bool) if valid is None
                         else valid, view.K, prior)


@pytest.mark.parametrize('size', [(640, 192, 80.0), (416, 320, 70.0), (96, 64, 80.0)])
def test_flat_ground_is_measured_exactly(size):
    assert measured(View(*size).ground()) == pytest.approx(HEIGHT, rel=2e-3)


@pytest.mark.parametrize('pitch_deg', [-5, 0, 15])
@pytest.mark.parametrize('roll_deg', [-15, 0, 8])
@pytest.mark.parametrize('share', [0.0, 0.4])
def test_within_five_percent_with_noise_obstacles_and_tilt(pitch_deg, roll_deg, share):
    for seed in range(2):
        view = View(pitch_deg=pitch_deg, roll_deg=roll_deg).ground().boxes(share, seed)
        assert measured(view, 0.1, seed) == pytest.approx(HEIGHT, rel=0.05)


@pytest.mark.parametrize('pitch_deg', [30.0, 60.0])
def test_a_camera_that_looks_down_needs_its_pitch(pitch_deg):
    view = View(pitch_deg=pitch_deg, roll_deg=5).ground()
    assert measured(view) is None
    assert measured(view, prior=GroundPrior(pitch_deg - 8)) == pytest.approx(HEIGHT, rel=0.01)


def test_ground_before_a_wall():
    assert measured(View(pitch_deg=10).ground().wall(4.0), 0.05) == pytest.approx(HEIGHT, rel=0.05)


@pytest.mark.parametrize('noise', [0.0, 0.1])
@pytest.mark.parametrize('view', [
    View().wall(0.6), View().wall(3.0), View().wall(2.0, 40), View().wall(1.5, -60),
    View().ground().wall(1.4), View(640, 192, 80).ground().wall(2.0),
    View(), View().plane([1.0, 0.0, 0.0], 0.8),
    View().plane([0.0, math.cos(0.6), math.sin(0.6)], 1.0),
    stairs(View(), 0.2, 0.15, 1.2), stairs(View(), 0.3, 0.25, 1.5),
    View(pitch_deg=5).ground().wall(3.5).table(0.6, 0.9),
    View(pitch_deg=10).ground().wall(4.0).table(0.45, 0.85),
], ids=['near wall', 'wall', 'slanted wall', 'steep wall', 'wall and some floor', 'wide wall',
        'sky', 'side wall', 'slope', 'stairs', 'boxes', 'table', 'low table'])
def test_no_ground_is_none(view, noise):
    height = measured(view, noise)
    assert height is None or height == pytest.approx(HEIGHT, rel=0.1)


@pytest.mark.parametrize('seed', range(4))
def test_random_depth_is_no_ground(seed):
    rng = np.random.default_rng(seed)
    view = View()
    view.inverse = np.exp(rng.normal(0, 0.6, view.inverse.shape))
    assert measured(view) is None
    # Random blobs.
    coarse = torch.tensor(rng.normal(0, 0.6, (1, 1, 8, 10)))
    view.inverse = torch.nn.functional.interpolate(
        coarse, view.inverse.shape, mode='bicubic')[0, 0].exp().numpy()
    assert measured(view) is None


def test_what_is_not_valid_does_not_count():
    view = View().ground()
    wrong = view.depth()
    wrong[..., ::2] = math.nan
    wrong[..., 1::4] = 0.0
    wrong[:, :, 200:260, 100:250] = 0.3
    valid = torch.ones_like(wrong, dtype=torch.bool)
    valid[:, :, 200:260, 100:250] = False
    assert ground_height(wrong, valid, view.K, LEVEL) is None  # too little is left
    wrong[..., ::2] = view.depth()[..., ::2]
    assert ground_height(wrong, valid, view.K, LEVEL) == pytest.approx(HEIGHT, rel=0.01)
    assert measured(view, valid=torch.zeros_like(valid)) is None


def test_follows_the_unit_of_the_depth():
    view = View().ground().boxes(0.3, 1)
    depth, valid = view.depth(0.05), torch.ones(1, 1, 320, 416, dtype=torch.bool)
    once, thrice = (ground_height(factor * depth, valid, view.K, LEVEL)
                    for factor in (1.0, 3.0))
    assert thrice == pytest.approx(3 * once, rel=1e-4)
