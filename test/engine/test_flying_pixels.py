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

from cloud_reference import flies
from mdepth_ros.engine.flying_pixels import flying_margin
from mdepth_ros.training.synthetic import render_sequence, SceneConfig
import pytest
import torch
import torch.nn.functional as F

TOLERANCE = 0.1


def rough_depth(seed, H=30, W=41):
    """Coarse blocks, smooth in between, with holes of all kinds."""
    generator = torch.Generator().manual_seed(seed)
    blocks = torch.rand(1, 1, 5, 7, generator=generator) * 5 + 1
    depth = F.interpolate(blocks, (H, W), mode='bilinear')[0, 0]
    for hole in (math.nan, math.inf, -math.inf):
        depth[torch.rand(H, W, generator=generator) < 0.02] = hole
    return depth


@pytest.mark.parametrize('stride', [1, 2, 3, 50])
def test_same_as_a_loop_over_the_pixels(stride, monkeypatch):
    monkeypatch.setattr('mdepth_ros.engine.flying_pixels.BAND_PIXELS', 200)
    for seed in range(3):
        depth = rough_depth(seed)
        values = depth.tolist()
        expected = [[flies(values, row, column, TOLERANCE) for column in range(0, 41, stride)]
                    for row in range(0, 30, stride)]
        flying = flying_margin(depth, TOLERANCE, stride) < 0
        assert flying.tolist() == expected
    assert stride > 3 or bool(flying.any())


@pytest.mark.parametrize(('near', 'far'), [(2.0, 6.0), (2.0, 3.0), (5.0, math.inf)])
@pytest.mark.parametrize('turned', [False, True])
def test_a_smeared_edge_goes_and_the_walls_stay(near, far, turned):
    inverse = torch.full((40, 64), 1 / far)
    inverse[:, :30] = 1 / near
    inverse[:, 29:34] = torch.linspace(1 / near, 1 / far, 5)
    depth = 1 / inverse
    margin = flying_margin(depth.T if turned else depth, TOLERANCE)
    off = (depth > 1.1 * near) & (depth < 0.9 * far)
    assert 2 <= int(off[0].sum()) <= 3
    assert torch.equal((margin.T if turned else margin) < 0, off)


@pytest.mark.parametrize('height', [0.1, 0.3, 1.5])
def test_a_road_stays_up_to_the_horizon(height):
    below = torch.arange(1, 97, dtype=torch.float32)[:, None].expand(96, 64)
    assert not bool((flying_margin(300.0 * height / below, TOLERANCE) < 0).any())


@pytest.mark.parametrize('width', range(1, 17))
def test_a_pole_stays_however_thin(width):
    depth = torch.full((20, 64), 8.0)
    depth[:, 24:24 + width] = 2.0
    assert not bool((flying_margin(depth, TOLERANCE) < 0).any())


@pytest.mark.parametrize('kind', ['driving', 'indoor', 'handheld'])
def test_rendered_scenes_lose_the_pixels_off_all_surfaces(kind):
    scene = render_sequence(SceneConfig(kind=kind, width=416, height=128, frames=1), seed=3)
    true = scene.depth[:1]
    low = F.avg_pool2d(1 / true, 4)  # the networks' features have a quarter of the resolution
    smeared = 1 / F.interpolate(low, true.shape[2:], mode='bilinear')
    near_by = F.unfold(F.pad(true, (4,) * 4, mode='replicate'), 9)[0]  # (81, H * W)
    off = ((smeared.view(-1) / near_by - 1).abs() > 0.1).all(dim=0).view(smeared.shape[2:])
    seen = smeared[0, 0] < 10.0
    flying = flying_margin(smeared[0, 0], TOLERANCE) < 0
    assert float((off & seen).sum() / seen.sum()) > 0.005
    assert float((off & seen & ~flying).sum() / (off & seen).sum()) < 0.2
    assert float((flying & seen & ~off).sum() / (seen & ~off).sum()) < 0.01
