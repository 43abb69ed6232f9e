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

"""Synthetic scenes as batches and as a sequence."""

import itertools
import pickle
import weakref

from mdepth_ros.training.datasets.synthetic import SyntheticSequenceView
from mdepth_ros.training.samples import synthetic_samples
from mdepth_ros.training.samples.synthetic_samples import SyntheticSamples
from mdepth_ros.training.scenes.held_out import ROBUSTNESS
from mdepth_ros.training.synthetic import render_sequence, SceneConfig, to_bytes
import numpy as np
import pytest
import torch


def samples(**options):
    return SyntheticSamples(**{'width': 64, 'height': 64, 'batch': 2, 'seed': 3, 'worlds': 3,
                               'tracks': 8, **options})


def take(source, count, first=0):
    return list(itertools.islice(source.batches(first), count))


def same(one, other):
    return all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(one, other))


@pytest.fixture(scope='module')
def whole():
    return take(samples(), 8)


def test_shapes_and_types(whole):
    for batch in whole:
        assert batch.frames.shape == batch.augmented.shape == (2, 3, 3, 64, 64)
        assert batch.frames.dtype == batch.augmented.dtype == torch.uint8
        assert batch.K.shape == (2, 3, 3)
        assert batch.K.dtype == torch.float32
    frames = torch.cat([batch.frames for batch in whole]).float()
    assert (frames.std(dim=(2, 3, 4)) > 5).all()
    # The camera moves, and not so far that the frames had nothing in common.
    change = (frames[:, 0] - frames[:, 1]).abs().mean(dim=(1, 2, 3))
    assert (change > 0.5).all()
    assert change.median() < 40


def test_a_run_that_starts_later_sees_the_same(whole):
    assert all(map(same, whole[6:], take(samples(), 2, first=6)))
    assert not same(whole[6], take(samples(seed=4), 1, first=6)[0])


def test_ranks_joined_are_one_process(whole):
    ranks = [take(samples(rank=rank, world_size=2), 2) for rank in range(2)]
    for step in range(2):
        assert same(whole[step], [torch.cat([rank[step][n] for rank in ranks]) for n in range(4)])


def test_worlds_stay_and_each_has_its_own_field_of_view():
    source = samples(worlds=2)
    focal = [set(batch.K[:, 0, 0].tolist()) for batch in take(source, 3)]
    assert len(focal[0]) == 2
    assert focal == [focal[0]] * 3
    assert len(source._pool) == 2


def test_a_world_for_measuring_is_not_learned_from(monkeypatch):
    """Seed 51 would draw 777002146 as its world 240; what is no such world stays what it was."""
    rendered = []

    def render(config, seed, device):
        rendered.append(seed)
        return render_sequence(config, seed, device)

    monkeypatch.setattr(synthetic_samples, 'render_sequence', render)
    for number in (240, 239):
        samples(seed=51)._world(number)
    first, second = np.random.default_rng([51, 240]).integers(2 ** 31, size=2)
    assert first in ROBUSTNESS
    assert rendered == [second, np.random.default_rng([51, 239]).integers(2 ** 31)]


def test_colours_and_mirroring(whole):
    plain = take(samples(augment=False), 8)
    assert all(torch.equal(batch.frames, batch.augmented) for batch in plain)
    mirrored = 0
    for batch, original in zip(whole, plain):
        for n in range(2):
            if torch.equal(batch.frames[n], original.frames[n]):
                assert torch.equal(batch.K[n], original.K[n])
            else:
                mirrored += 1
                assert torch.equal(batch.frames[n].flip(-1), original.frames[n])
                assert batch.K[n, 0, 2] == 63 - original.K[n, 0, 2]
    assert 3 <= mirrored <= 13  # of 16
    changed = [not torch.equal(a, b) for batch in whole
               for a, b in zip(batch.frames, batch.augmented)]
    assert 0.2 < np.mean(changed) < 0.8


def test_bad_arguments_name_both_sides():
    with pytest.raises(ValueError, match=r'batch 2 .* world_size 3'):
        samples(world_size=3)
    with pytest.raises(ValueError, match='worlds must be at least 1, got 0'):
        samples(worlds=0)


def test_a_scene_as_a_sequence():
    config = SceneConfig(kind='driving', width=64, height=32, frames=5, fps=7.0,
                         horizontal_fov_deg=77.0)
    view, q = SyntheticSequenceView(config, 4), render_sequence(config, 4)
    assert len(view) == 5
    assert [view.stamp_ns(i) for i in range(5)] == q.stamps_ns.tolist()
    assert np.array_equal(view.camera.K, q.K.double().numpy())
    assert view.rgb(2).shape == (32, 64, 3)
    assert view.rgb(2).flags['C_CONTIGUOUS']
    assert np.abs(view.rgb(2) / 255 - q.images[2].permute(1, 2, 0).numpy()).max() < 0.51 / 255
    assert np.array_equal(view.depth(3), q.depth[3, 0])
    assert np.isinf(view.depth(3)).any()
    assert np.array_equal(view.T_world_camera(1), q.T_world_camera[1].double())
    assert np.array_equal(view.moving(0), q.moving[0, 0])
    # As a camera gives it, byte for byte, although it was rounded piece by piece.
    assert torch.equal(torch.from_numpy(np.stack([view.rgb(i) for i in range(5)])),
                       to_bytes(q.images).permute(0, 2, 3, 1))
    assert len(pickle.dumps(view)) < 4000
    assert np.array_equal(pickle.loads(pickle.dumps(view)).rgb(1), view.rgb(1))


def test_worlds_that_were_played_are_let_go():
    config = SceneConfig(width=64, height=32, frames=2)
    views = [SyntheticSequenceView(config, seed) for seed in range(4)]
    rendered = [weakref.ref(view._rendered) for view in views]
    assert [world() is not None for world in rendered] == [False, False, True, True]
    assert np.array_equal(views[0].rgb(1), SyntheticSequenceView(config, 0).rgb(1))
