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

"""Neighbours chosen by what the camera did, not by frame numbers."""

import json

import cv2
from mdepth_ros.engine.camera import Camera
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.datasets.sequence import DataError, Sequence
from mdepth_ros.training.datasets.synthetic import SyntheticSequenceView
from mdepth_ros.training.samples.neighbours import (
    choose_neighbours,
    END,
    find_triplets,
    LOST,
    ROTATION,
    STATIC,
)
from mdepth_ros.training.samples.triplet import ParallaxRule, Triplet
from mdepth_ros.training.synthetic import SceneConfig
import numpy as np
import pytest


class Frames(Sequence):
    """Some frames of another sequence, at stamps of their own if need be; counts what is read."""

    def __init__(self, whole, frames, stamps_ns=None):
        self.name, self.camera, self.whole, self.frames = whole.name, whole.camera, whole, frames
        self.stamps_ns = stamps_ns or [whole.stamp_ns(i) for i in frames]
        self.reads = 0

    def __len__(self):
        return len(self.frames)

    def stamp_ns(self, index):
        return self.stamps_ns[index]

    def rgb(self, index):
        self.reads += 1
        return self.whole.rgb(self.frames[index])


def scene(kind='indoor', frames=40, fps=20.0, seed=3, **options):
    height = 96 if kind == 'driving' else 144
    return SyntheticSequenceView(SceneConfig(kind=kind, frames=frames, fps=fps, width=224,
                                             height=height, **options), seed)


@pytest.fixture(scope='module')
def fast():
    """Two seconds of a walk at 60 Hz."""
    return scene(frames=120, fps=60.0)


def distances_s(sequence, neighbours):
    """Time to the earlier and to the later frame of each triplet, (N, 2) [s]."""
    return np.array([[sequence.stamp_ns(t.target) - sequence.stamp_ns(t.before),
                      sequence.stamp_ns(t.after) - sequence.stamp_ns(t.target)]
                     for t in neighbours.triplets]) / 1e9


def test_the_same_motion_at_any_rate_has_neighbours_at_the_same_time(fast):
    medians = []
    for step in (6, 2, 1):  # 10, 30, 60 Hz
        sequence = Frames(fast, range(0, 120, step))
        neighbours = choose_neighbours(sequence)
        assert len(neighbours.triplets) >= 0.6 * len(sequence)
        assert len(neighbours.triplets) + sum(neighbours.skipped.values()) == len(sequence)
        medians.append(np.median(distances_s(sequence, neighbours), axis=0))
    assert np.ptp(medians, axis=0).max() < 0.11  # a frame at 10 Hz
    assert np.abs(medians[2] - medians[1]).max() < 0.05
    assert (np.array(medians) > 0.05).all()


def test_a_car_at_10_hz_trains_with_the_next_frame():
    sequence = scene('driving', frames=12, fps=10.0, seed=4)
    neighbours = choose_neighbours(sequence)
    assert [t.target for t in neighbours.triplets] == list(range(1, 11))
    assert neighbours.skipped == {END: 2}
    gaps = [gap for t in neighbours.triplets for gap in (t.target - t.before, t.after - t.target)]
    assert gaps.count(1) >= 0.8 * len(gaps)


def test_where_few_frames_were_kept_is_no_pause(fast):
    dense, thin = range(60), range(60, 120, 10)  # as of a robot that slowed down
    neighbours = choose_neighbours(Frames(fast, [*dense, *thin]))
    assert sum(t.target >= 60 for t in neighbours.triplets) >= len(thin) - 2


def test_limits_hold(fast):
    sequence = Frames(fast, range(0, 120, 2))
    rule = ParallaxRule(target=0.02, longest_s=0.3, most_frames=7)
    neighbours = choose_neighbours(sequence, rule=rule)
    assert neighbours.triplets
    for t in neighbours.triplets:
        assert 0 < t.target - t.before <= 7
        assert 0 < t.after - t.target <= 7
    assert distances_s(sequence, neighbours).max() <= 0.3
    few = ParallaxRule(target=0.5, least=0.5)
    assert choose_neighbours(sequence, rule=few).triplets == ()


def test_a_pause_is_not_crossed(fast):
    stamps_ns = [i * 50_000_000 + (i >= 20) * 1_000_000_000 for i in range(40)]
    sequence = Frames(fast, range(0, 120, 3), stamps_ns)
    for gap in ('auto', 2):
        neighbours = choose_neighbours(sequence, gap)
        assert neighbours.triplets
        assert all((t.before < 20) == (t.after < 20) for t in neighbours.triplets)


def test_fixed_gap_reads_nothing(fast):
    sequence = Frames(fast, range(10))
    neighbours = choose_neighbours(sequence, 3)
    assert neighbours.triplets == tuple(Triplet(t, t - 3, t + 3) for t in range(3, 7))
    assert neighbours.skipped == {END: 6}
    assert sequence.reads == 0
    with pytest.raises(ValueError, match='at least 1'):
        choose_neighbours(sequence, 0)


@pytest.mark.parametrize(('options', 'reason'), [({'static_camera': True}, STATIC),
                                                 ({'pure_rotation': True}, ROTATION)])
def test_nothing_to_learn_from_is_an_error_with_counts(options, reason):
    sequence = scene(frames=15, fps=10.0, **options)
    with pytest.raises(DataError, match=f'nothing to train on in 1 .*: 15 {reason}$'):
        find_triplets([sequence], progress=False)


def test_standing_frames_are_skipped_and_the_others_kept(fast):
    frames = [*range(0, 60, 3), *[60] * 30, *range(60, 120, 3)]
    sequence = Frames(fast, frames, [i * 50_000_000 for i in range(len(frames))])
    neighbours = choose_neighbours(sequence, rule=ParallaxRule(longest_s=0.5))
    assert neighbours.skipped[STATIC] >= 10
    assert len(neighbours.triplets) > 20
    assert all(t.target < 30 or t.target > 40 for t in neighbours.triplets)


def test_a_cut_without_a_pause_is_seen(fast):
    other = scene(seed=8, frames=20)

    class Cut(Frames):

        def rgb(self, index):
            return super().rgb(index) if index < 20 else other.rgb(index - 20)

    sequence = Cut(fast, range(0, 120, 3))
    neighbours = choose_neighbours(sequence)
    assert all((t.before < 20) == (t.after < 20) for t in neighbours.triplets)
    assert neighbours.skipped[LOST] >= 2


def test_cache_saves_the_reading_and_knows_when_it_is_stale(fast, tmp_path):
    cache = tmp_path / 'kept' / 'neighbours.json'
    sequences = [Frames(fast, range(0, 60, 4)), Frames(fast, range(60, 120, 4))]
    sequences[1].name = 'second'
    found = find_triplets(sequences, cache=cache, progress=False)
    before = [s.reads for s in sequences]
    assert find_triplets(sequences, cache=cache, progress=False) == found
    assert [s.reads - n for s, n in zip(sequences, before)] == [2, 2]  # first and last image
    assert found == find_triplets(sequences, progress=False)
    assert [p.name for p in cache.parent.iterdir()] == ['neighbours.json']

    def reads_everything(sequence):
        reads = sequence.reads
        find_triplets([sequence], cache=cache, progress=False)
        return sequence.reads - reads >= len(sequence)

    assert not reads_everything(sequences[0])
    sequences[0].stamps_ns[-1] += 1_000_000
    assert reads_everything(sequences[0])
    sequences[0].camera = Camera.from_fov(224, 144, 65.0)
    assert reads_everything(sequences[0])
    assert not reads_everything(sequences[0])
    cache.write_text(cache.read_text()[:-40])  # cut off
    assert reads_everything(sequences[0])
    stored = json.loads(cache.read_text())
    cache.write_text(json.dumps({**stored, 'version': 0}))
    assert reads_everything(sequences[0])


def kept(**changes):
    """Make a cache whose entries are all changed."""
    def change(stored):
        entries = {key: {**entry, **changes} for key, entry in stored['sequences'].items()}
        return json.dumps({**stored, 'sequences': entries})
    return change


@pytest.mark.parametrize('damage', [
    lambda stored: json.dumps(stored)[:-40], lambda stored: '\xff', lambda stored: '[' * 100_000,
    lambda stored: '{}', lambda stored: json.dumps({**stored, 'sequences': []}),
    kept(triplets=[[99, 3, 200]]), kept(triplets=[[3, 5, 4]]), kept(triplets=[[1.5, 0, 2]]),
    kept(triplets=[[1, 2]]), kept(skipped={END: 'many'}), kept(skipped=None)])
def test_a_damaged_cache_is_made_again(fast, tmp_path, caplog, damage):
    cache, sequence = tmp_path / 'neighbours.json', Frames(fast, range(0, 40, 4))
    found = find_triplets([sequence], cache=cache, progress=False)
    whole = cache.read_text()
    cache.write_text(damage(json.loads(whole)), encoding='latin-1')
    assert find_triplets([sequence], cache=cache, progress=False) == found
    assert cache.read_text() == whole
    warning, = caplog.messages
    assert warning.startswith(f'{cache} is damaged, the neighbours are looked for again: ')
    assert '\n' not in warning


def test_a_cache_that_cannot_be_written_is_one_line(fast, tmp_path):
    with pytest.raises(MdepthError, match=f'cannot write {tmp_path}: '):
        find_triplets([Frames(fast, range(0, 40, 4))], cache=tmp_path, progress=False)


def test_an_unreadable_frame_is_its_own_error(fast, tmp_path):
    path = tmp_path / '000003.png'

    class Broken(Frames):

        def rgb(self, index):
            image = cv2.imread(str(path)) if index == 3 else super().rgb(index)
            if image is None:
                raise DataError(f'{path} is missing')
            return image

    with pytest.raises(DataError, match=r'000003\.png is missing'):
        find_triplets([Broken(fast, range(6))], progress=False)
