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

"""Single rendered images, as other cameras would see them."""

from mdepth_ros.training.stage0.image_pool import FRAMES, ImagePool, mirrored, other_camera
import numpy as np
import pytest
import torch


@pytest.fixture(scope='module')
def pool():
    pool = ImagePool((96, 64), capacity=3)
    for seed in range(5):
        pool.grow(seed)
    return pool


def picture(seed=0):
    return torch.rand(3, 48, 64, generator=torch.Generator().manual_seed(seed))


def test_it_draws_different_worlds_and_forgets_the_oldest(pool):
    batch = pool.draw(3, np.random.default_rng(0))
    assert batch.image.shape == (3, 3, 64, 96)
    assert batch.depth.shape == (3, 1, 64, 96)
    assert not torch.equal(batch.depth[0], batch.depth[1])
    with pytest.raises(ValueError, match='larger sample'):
        pool.draw(4, np.random.default_rng(0))


def test_every_depth_is_one_of_the_rendered_ones_mirrored_or_not(pool):
    kept = [depth.float() for _, depths, _ in pool._worlds for depth in depths]
    assert len(kept) == 3 * FRAMES
    mirrored = 0
    for seed in range(10):
        for depth in pool.draw(2, np.random.default_rng(seed)).depth:
            as_it_was = any(torch.equal(depth, one) for one in kept)
            flipped = any(torch.equal(depth.flip(-1), one) for one in kept)
            assert as_it_was or flipped
            mirrored += flipped and not as_it_was
    assert 4 <= mirrored <= 16


def test_each_image_has_the_intrinsics_of_its_world(pool):
    batch = pool.draw(3, np.random.default_rng(0))
    focal = [(float(depths.min()), float(K[0, 0])) for _, depths, K in pool._worlds]
    for depth, K in zip(batch.depth, batch.K):
        assert any(float(K[0, 0]) == f and float(depth.min()) >= least for least, f in focal)
    assert len({float(K[0, 0]) for K in batch.K}) == 3


def test_a_mirrored_camera_sees_the_mirrored_pixel():
    K = torch.tensor([[50.0, 0, 40.0], [0, 50.0, 30.0], [0, 0, 1]])
    point = torch.tensor([0.3, -0.2, 2.0])
    x, y, _ = K @ point / point[2]
    other = mirrored(K, 96) @ (point * torch.tensor([-1.0, 1.0, 1.0])) / point[2]
    assert other.tolist() == pytest.approx([95 - float(x), float(y), 1.0])


def test_the_same_draw_gives_the_same_images(pool):
    first, second = (pool.draw(2, np.random.default_rng(7)) for _ in range(2))
    assert torch.equal(first.image, second.image)
    assert torch.equal(first.depth, second.depth)


def test_other_cameras_differ_and_stay_in_range():
    image, seen = picture(), []
    for seed in range(40):
        other = other_camera(image, np.random.default_rng(seed))
        assert other.shape == image.shape
        assert 0 <= float(other.min()) <= float(other.max()) <= 1
        seen.append(other)
    means = torch.stack([other.mean() for other in seen])
    assert means.std() > 0.05
    grey = sum(bool((other - other.mean(dim=0)).abs().max() < 0.25) for other in seen)
    assert 1 <= grey <= 12
    # Some are blurred: neighbours differ by much less than in the original.
    roughness = torch.stack([other.diff(dim=2).abs().mean() / other.std() for other in seen])
    assert roughness.min() < 0.6 * roughness.max()
