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

from mdepth_ros.training.scenes.atlas import Atlas
from mdepth_ros.training.scenes.noise import fractal, SIZE
from mdepth_ros.training.scenes.textures import paint, Texture
import numpy as np
import pytest
import torch
import torch.nn.functional as F


@pytest.fixture(scope='module')
def stack():
    painted = paint(np.random.default_rng(0))
    return torch.from_numpy(painted).permute(0, 3, 1, 2).float()


@pytest.fixture(scope='module')
def atlas(stack):
    return Atlas(stack)


def test_every_texture_is_painted(stack):
    assert stack.shape == (len(Texture), 3, SIZE, SIZE)
    assert stack.min() >= 0
    assert stack.max() <= 1
    assert (stack[1:].flatten(1).std(dim=1) > 0.02).all()


def test_noise_wraps_around():
    noise = fractal(np.random.default_rng(0), 1.6)
    seam, inner = np.abs(noise[:, 0] - noise[:, -1]).mean(), np.abs(np.diff(noise)).mean()
    assert seam < 1.3 * inner
    assert noise.mean() == pytest.approx(0, abs=1e-9)


def read(atlas, texture, u, v, size_u, size_v):
    u, v = torch.as_tensor(u).float(), torch.as_tensor(v).float()
    full = torch.zeros(1, 1, u.numel())
    return atlas.read(full + texture, full + u, full + v, full + size_u, full + size_v)[0, :, 0]


def test_texel_centres_give_the_texels(stack, atlas):
    columns = torch.arange(SIZE)
    for row in (0, 100, SIZE - 1):
        got = read(atlas, Texture.BRICK, (columns + 0.5) / SIZE, (row + 0.5) / SIZE, 0.0, 0.0)
        assert torch.allclose(got, stack[Texture.BRICK, :, row], atol=2e-3)


@pytest.mark.parametrize(('level_u', 'level_v'), [(3, 0), (0, 3), (2, 5)])
def test_footprints_average_each_axis_on_its_own(stack, atlas, level_u, level_v):
    small = F.avg_pool2d(stack[Texture.WOOD], (1 << level_v, 1 << level_u))
    u = (torch.arange(small.shape[2]) + 0.5) / small.shape[2]
    got = read(atlas, Texture.WOOD, u, 0.5 / small.shape[1], (1 << level_u) / SIZE,
               (1 << level_v) / SIZE)
    assert torch.allclose(got, small[:, 0], atol=2e-3)


def test_a_huge_footprint_gives_almost_the_mean(stack, atlas):
    got = read(atlas, Texture.PAVING, 0.3, 0.7, 50.0, 50.0)[:, 0]
    assert torch.allclose(got, stack[Texture.PAVING].mean(dim=(1, 2)), atol=0.02)


def test_textures_repeat(atlas):
    u = torch.linspace(0, 1, 50)
    a, b = (read(atlas, Texture.TILES, u + shift, 0.4, 0.01, 0.01) for shift in (0.0, -3.0))
    assert torch.allclose(a, b, atol=2e-3)
