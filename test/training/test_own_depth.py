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

"""Frames and the estimator's own depth of them: which, from both directions, and how sure."""

from copy import copy

from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.camera import Camera
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS, load_checkpoint
from mdepth_ros.training import own_depth
from mdepth_ros.training.datasets.sequence import Sequence
from mdepth_ros.training.own_depth import choose_clips, Clip, teach
from mdepth_ros.training.synthetic import render_sequence, SceneConfig, to_bytes
import numpy as np
import pytest
import torch

SIZE = 96


class Film(Sequence):
    """Rendered frames, 0.1 s apart."""

    name = 'film'

    def __init__(self, rendered):
        self.images = to_bytes(rendered.images).permute(0, 2, 3, 1).numpy()
        self.truth = rendered.depth
        self.camera = Camera(SIZE, SIZE, rendered.K.double().numpy())

    def __len__(self):
        return len(self.images)

    def stamp_ns(self, index):
        return (index + 7) * 100_000_000

    def rgb(self, index):
        return np.ascontiguousarray(self.images[index])


class Long(Sequence):
    """A recording of so many frames that nobody looks at."""

    name, camera = 'long', Camera.from_fov(SIZE, SIZE, 80.0)

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def stamp_ns(self, index):
        return index * 33_333_333

    def rgb(self, index):
        raise AssertionError


@pytest.fixture(scope='module')
def film():
    return Film(render_sequence(
        SceneConfig('handheld', SIZE, SIZE, frames=8, moving_objects=False), 5))


@pytest.fixture(scope='module')
def config():
    return EngineConfig('cpu', width=SIZE, height=SIZE, backend='torch')


@pytest.fixture(scope='module')
def taught(film, config):
    return teach(load_checkpoint(DEFAULT_WEIGHTS), [Clip(film, range(8))], config)


def abs_rel(frame, truth):
    depth, known = frame.log_depth.float().exp(), truth < 80
    scale = (truth / depth)[known].median()
    return float(((depth * scale - truth).abs() / truth)[known].mean())


def test_short_recordings_are_played_whole():
    first, second = Long(130), Long(7)
    clips = choose_clips([first, second], 600)
    assert [(it.sequence, it.indices) for it in clips] == [
        (first, range(43)), (first, range(43, 87)), (first, range(87, 130)), (second, range(7))]


def test_many_short_ones_are_played_as_far_as_they_go():
    recordings = [Long(25) for _ in range(30)]
    assert len(choose_clips(recordings[:20], 600)) == 20
    assert sum(len(it.indices) for it in choose_clips(recordings, 600)) == 600
    assert len(choose_clips([Long(3) for _ in range(400)], 600)) == 200


def test_of_long_ones_parts_are_played_from_beginning_to_end():
    clips = choose_clips([Long(6000)], most=300)
    assert len(clips) == 5
    assert all(len(it.indices) == 60 for it in clips)
    assert clips[0].indices.start == 0
    assert clips[-1].indices.stop == 6000


def test_few_frames_are_few():
    assert [len(it.indices) for it in choose_clips([Long(130)], 20)] == [19]


def test_every_frame_has_its_image_and_depth_in_the_order_of_time(taught, film, config):
    assert len(taught) == len(film)
    for index, frame in enumerate(taught):
        assert np.array_equal(frame.rgb, film.rgb(index))
        assert frame.log_depth.shape == frame.weight.shape == (SIZE, SIZE)
        assert frame.log_depth.isfinite().all()
        assert 0 <= frame.weight.min() <= frame.weight.max() <= 1


def test_frames_that_are_neighbours_only_are_played_and_not_learned(taught, film, config):
    some = copy(film)
    some.targets = (2, 5)
    learned = teach(load_checkpoint(DEFAULT_WEIGHTS), [Clip(some, range(8))], config)
    assert [(it.rgb.tobytes(), it.log_depth.tolist()) for it in learned] == [
        (taught[i].rgb.tobytes(), taught[i].log_depth.tolist()) for i in (2, 5)]


def test_both_directions_together_are_better_than_the_single_frame(taught, film, config):
    """The first frame has no past: without the way back it would be S-DepthNet's."""
    alone = load_checkpoint(DEFAULT_WEIGHTS)
    single = [teach(alone, [Clip(film, range(i, i + 1))], config)[0] for i in range(8)]
    errors, single_errors = ([abs_rel(frame, film.truth[i, 0]) for i, frame in enumerate(frames)]
                             for frames in (taught, single))
    assert errors[0] < single_errors[0]
    assert np.mean(errors) < 0.9 * np.mean(single_errors)


def test_the_scale_stays_that_of_the_single_frames(taught, film, config):
    alone = load_checkpoint(DEFAULT_WEIGHTS)
    single = [teach(alone, [Clip(film, range(i, i + 1))], config)[0] for i in range(8)]
    shifts = [float((a.log_depth.float() - b.log_depth.float()).median())
              for a, b in zip(taught, single)]
    assert abs(np.mean(shifts)) < 0.05


def test_the_scale_is_that_of_all_processes_together(taught, film, config, monkeypatch):
    """As if another process had as many frames, and these were 0.4 further from S-DepthNet's."""
    other = torch.tensor([16 * 0.4, 16.0], dtype=torch.float64)
    monkeypatch.setattr(own_depth, 'sum_over_ranks',
                        lambda mine: mine + other + torch.stack([mine[0], 0 * mine[1]]))
    again = teach(load_checkpoint(DEFAULT_WEIGHTS), [Clip(film, range(8))], config)
    for one, both in zip(taught, again):
        assert float((one.log_depth.float() - both.log_depth.float()).median()) == pytest.approx(
            0.2, abs=2e-3)


def played(log_depth, valid):
    """Make an answer that is sure where there is one."""
    valid = torch.tensor([valid])
    return own_depth._Played(np.zeros((1, 6, 3), np.uint8), np.eye(3),
                             torch.where(valid, torch.tensor([log_depth]), 0.0), valid.float(),
                             valid, 0.0)


def test_directions_are_joined_where_both_know_a_depth():
    """One is 0.4 above the other, and each alone knows two pixels more."""
    one = played([2.2, 2.4, 2.2, 2.2, 9.0, 9.0], [True, True, True, True, False, False])
    other = played([1.8, 2.0, 9.0, 9.0, 1.8, 1.8], [True, True, False, False, True, True])
    joined = own_depth._joined(one, other)
    assert joined.log_depth[0].tolist() == pytest.approx([2.0, 2.2, 2.0, 2.0, 2.0, 2.0])
    assert joined.weight.all()
    nothing = played([0.0] * 6, [False] * 6)
    alone = own_depth._joined(one, nothing)
    assert alone.log_depth[0].tolist() == pytest.approx([2.2, 2.4, 2.2, 2.2, 0, 0])
    assert alone.weight[0].tolist() == [1, 1, 1, 1, 0, 0]
    assert not own_depth._joined(nothing, nothing).log_depth.any()


def test_the_model_and_its_scale_do_not_count(taught, film, config):
    """Depth is in network units, and the weights stay what they were."""
    model = load_checkpoint(DEFAULT_WEIGHTS)
    before = {name: x.clone() for name, x in model.state_dict().items()}
    metres = EngineConfig('cpu', width=SIZE, height=SIZE, backend='torch', scale=3.0)
    again = teach(model, [Clip(film, range(8))], metres)
    assert all(torch.allclose(a.log_depth, b.log_depth, atol=0.01)
               for a, b in zip(taught, again))
    assert all(torch.equal(x, model.state_dict()[name]) for name, x in before.items())
