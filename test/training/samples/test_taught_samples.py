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

"""Batches of frames with depth: what belongs together stays together."""

from mdepth_ros.training.own_depth import TaughtFrame
from mdepth_ros.training.samples.augment import MOST_ZOOM
from mdepth_ros.training.samples.taught_samples import TaughtSamples
import numpy as np
import pytest
import torch

H, W = 24, 40
K = np.array([[30.0, 0, 19.5], [0, 30.0, 11.5], [0, 0, 1]])


def frame(seed):
    """Brightness says the depth: green is 100 times its logarithm."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0.5, 2.0, (3, 5)).astype(np.float32)
    log_depth = np.kron(coarse, np.ones((8, 8), np.float32))
    rgb = np.repeat((100 * log_depth).round().astype(np.uint8)[..., None], 3, axis=2)
    return TaughtFrame(rgb, K, torch.from_numpy(log_depth).half(),
                       torch.full((H, W), 0.5 + 0.1 * seed).half())


FRAMES = [frame(seed) for seed in range(4)]


def some(count, **options):
    steps = TaughtSamples(FRAMES, **{'batch': 4, 'seed': 3, **options}).batches()
    return [next(steps) for _ in range(count)]


def test_shapes_and_types():
    batch, = some(1)
    assert batch.frames.shape == (4, 1, 3, H, W)
    assert batch.log_depth.shape == batch.weight.shape == (4, 1, H, W)
    assert (batch.frames.dtype, batch.log_depth.dtype) == (torch.uint8, torch.float32)
    assert (batch.K.shape, batch.K.dtype) == ((4, 3, 3), torch.float32)


def test_what_is_zoomed_in_on_has_a_longer_focal_length():
    focal = torch.cat([batch.K[:, 0, 0] for batch in some(6)])
    assert 30.0 <= float(focal.min()) < 32.0
    assert 37.0 < float(focal.max()) <= 30.0 * MOST_ZOOM + 2
    assert (torch.cat([batch.K for batch in some(2, augment=False)]) == torch.tensor(K)).all()


def test_depth_moves_with_its_image(monkeypatch):
    monkeypatch.setattr('mdepth_ros.training.samples.taught_samples.draw_colours', lambda _: None)
    for batch in some(6):
        difference = (batch.frames[:, 0, 1].float() / 100 - batch.log_depth[:, 0]).abs()
        # Where blocks meet, both are interpolated.
        assert difference.median() < 0.01
        assert (difference > 0.05).float().mean() < 0.05


def test_unaugmented_frames_are_the_frames():
    batch, = some(1, augment=False)
    for image, depth in zip(batch.frames[:, 0], batch.log_depth[:, 0]):
        assert any(np.array_equal(image.permute(1, 2, 0), it.rgb)
                   and torch.equal(depth, it.log_depth.float()) for it in FRAMES)


def test_an_epoch_has_each_frame_once_in_another_order():
    orders = []
    for epoch in zip(*[iter(some(8, batch=1, augment=False))] * 4):
        seen = [number for batch in epoch for number, it in enumerate(FRAMES)
                if torch.equal(batch.log_depth[0, 0], it.log_depth.float())]
        assert sorted(seen) == [0, 1, 2, 3]
        orders.append(seen)
    assert orders[0] != orders[1]


def test_a_step_is_what_it_is_wherever_one_begins():
    whole = TaughtSamples(FRAMES, 4, 3)
    steps = whole.batches()
    for _ in range(2):
        next(steps)
    third, again = next(steps), next(whole.batches(2))
    assert all(torch.equal(a, b) for a, b in zip(third, again))
    halves = [next(TaughtSamples(FRAMES, 4, 3, rank=rank, world_size=2).batches(2))
              for rank in (0, 1)]
    assert torch.equal(torch.cat([half.frames for half in halves]), third.frames)


@pytest.mark.parametrize(('frames', 'batch', 'problem'), [
    ([], 4, 'frames must not be empty'), (FRAMES, 0, 'batch 0 must be a positive multiple')])
def test_what_makes_no_batch(frames, batch, problem):
    with pytest.raises(ValueError, match=problem):
        TaughtSamples(frames, batch, 0)
