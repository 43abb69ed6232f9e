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

from dataclasses import astuple, replace

from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import Frame, Mode
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.checkpoint import load_checkpoint
from mdepth_ros.training.datasets.sequence import DataError, Sequence
from mdepth_ros.training.evaluation.evaluate import evaluate, play
from mdepth_ros.training.evaluation.protocol import ALL
from mdepth_ros.training.evaluation.report import json_report, text_report
from mdepth_ros.training.evaluation.stretches import lone_frames, Stretch, whole_sequences
from mdepth_ros.training.evaluation.summary import summarise
import numpy as np
import pytest

METRICS = ['abs_rel', 'sq_rel', 'rmse', 'rmse_log', 'd1', 'd2', 'd3']


class Noise(Sequence):
    """Random images at 10 Hz; truth, poses and moving objects as the test sets them."""

    camera = Camera.from_fov(64, 64, 80.0)

    def __init__(self, name='noise', count=4):
        self.name, self._count = name, count
        self.depths, self.poses, self.masks = {}, {}, {}

    def __len__(self):
        return self._count

    def stamp_ns(self, index):
        return 100_000_000 * index

    def rgb(self, index):
        return np.random.default_rng(index).integers(0, 256, (64, 64, 3), np.uint8)

    def depth(self, index):
        return self.depths.get(index)

    def T_world_camera(self, index):
        return self.poses.get(index)

    def moving(self, index):
        return self.masks.get(index)


class Test(Noise):
    """A test frame of a split, too: the last frame of its own sequence."""

    __test__ = False
    index = 3

    @property
    def sequence(self):
        return self

    def truth(self):
        return np.full((8, 8), 7, np.float32)


@pytest.fixture(scope='module')
def estimator(tiny_weights):
    # The images are noise: only PoseNet finds a motion between them.
    config = EngineConfig('cpu', 'published', width=64, height=64)
    return DepthEstimator.from_checkpoint(tiny_weights, config)


def pushed_by_hand(estimator, sequence, indices):
    estimator.reset()
    return [estimator.push(Frame(sequence.rgb(i), sequence.camera, sequence.stamp_ns(i)))
            for i in indices]


def test_scores_what_the_robot_gets(estimator):
    sequence = Noise()
    by_hand = pushed_by_hand(estimator, sequence, range(4))
    # The truth is twice the multi-frame depth: perfect when scaled, half as published.
    sequence.depths = {i: 2 * e.depth[0, 0].numpy() for i, e in enumerate(by_hand)}
    result = evaluate(estimator, whole_sequences([sequence]), ALL)
    row = result.rows['all']
    assert (row.frames, row.matched, row.wins) == (4, 3, 3)
    assert astuple(row.multi) == pytest.approx((0, 0, 0, 0, 1, 1, 1), abs=1e-5)
    assert row.single.abs_rel > 1e-4
    assert result.published.multi.abs_rel == pytest.approx(0.5)
    assert (result.multi_scale.mean, result.multi_scale.std) == pytest.approx((2, 0), abs=1e-5)
    assert result.rows['matched'].frames == 3
    assert result.rows['matched'].single.abs_rel == pytest.approx(
        row.single.abs_rel * 4 / 3)  # both depths of the first frame are one and perfect
    assert [frame.mode for frame in result.per_frame] == [Mode.SINGLE] + 3 * [Mode.MULTI]
    assert all(frame.latency_ms > 0 for frame in result.per_frame)


def test_every_sequence_starts_afresh(estimator):
    result = evaluate(estimator, whole_sequences([Noise('a', 2), Noise('b', 2)]), ALL)
    assert [(f.sequence, f.index, f.mode) for f in result.per_frame] == [
        (name, index, mode) for name in 'ab'
        for index, mode in ((0, Mode.SINGLE), (1, Mode.MULTI))]


def test_lone_frames_have_the_depth_of_a_whole_run(estimator):
    test = Test()
    *_, whole = play(estimator, whole_sequences([test]), ALL)
    alone, = play(estimator, lone_frames([test]), ALL)
    np.testing.assert_array_equal(alone.multi, whole.multi)
    assert (alone.score.index, alone.score.mode) == (3, Mode.MULTI)
    assert (alone.truth == 7).all()
    test.index = 0
    first, = play(estimator, lone_frames([test]), ALL)
    assert first.score.mode is Mode.SINGLE


def test_ranges_and_rates(estimator):
    def indices(*args):
        return [list(s.indices) for s in whole_sequences([Noise(count=6)], *args)]

    assert indices() == [[0, 1, 2, 3, 4, 5]]
    assert indices(1, 4) == [[1, 2, 3, 4]]
    assert indices(0, None, 2) == [[0, 2, 4]]
    for args in ((6,), (0, 6), (-1,), (3, 2)):
        with pytest.raises(DataError, match='noise has frames 0 to 5, asked for'):
            indices(*args)
    # The depth comes from the frame before in the stretch, not in the data.
    sequence = Noise(count=6)
    *_, last = play(estimator, whole_sequences([sequence], 0, None, 2), ALL)
    assert np.array_equal(last.multi,
                          pushed_by_hand(estimator, sequence, [2, 4])[-1].depth[0, 0].numpy())


def test_static_cameras_and_moving_objects_have_rows_of_their_own(estimator):
    sequence = Noise()
    for i, x in enumerate((0.0, 0.5, 0.5, 0.505)):
        sequence.poses[i] = np.eye(4)
        sequence.poses[i][0, 3] = x
        sequence.depths[i] = np.full((16, 16), 1 + i, np.float32)
        sequence.masks[i] = np.full((16, 16), i == 1)
    result = evaluate(estimator, whole_sequences([sequence]), ALL)
    assert [frame.still for frame in result.per_frame] == [None, False, True, True]
    assert {name: row.frames for name, row in result.rows.items()} == {
        'all': 4, 'matched': 3, 'moving_objects': 1, 'static_camera': 2}
    # All pixels of frame 1 move: its row is that frame.
    assert result.rows['moving_objects'].multi == result.per_frame[1].scores.scaled.multi


def test_standing_still_is_a_speed(estimator):
    """5 cm/s is still and 20 cm/s is not, at whatever rate."""
    for period_ns in (16_666_667, 100_000_000, 1_000_000_000):
        sequence = Noise(count=3)
        sequence.stamp_ns = lambda index, period_ns=period_ns: period_ns * index
        for i, x in enumerate((0.0, 0.05, 0.25)):
            sequence.poses[i] = np.eye(4)
            sequence.poses[i][0, 3] = x * period_ns * 1e-9
        played = play(estimator, whole_sequences([sequence]), ALL)
        assert [frame.score.still for frame in played] == [None, True, False]


def test_a_mask_of_another_size_than_the_depth_names_the_frame(estimator):
    sequence = Noise()
    sequence.depths[1] = np.ones((16, 16), np.float32)
    sequence.masks[1] = np.ones((8, 8), bool)
    with pytest.raises(MdepthError, match=r'noise, frame 1: moving must be \(16, 16\) like depth'):
        evaluate(estimator, whole_sequences([sequence]), ALL)


def test_depth_that_is_none_names_the_frame(tiny_weights):
    model = load_checkpoint(tiny_weights)
    for parameter in model.parameters():
        parameter.data.fill_(float('nan'))
    broken = DepthEstimator(model, EngineConfig('cpu', 'published', width=64, height=64,
                                                backend='torch'))
    sequence = Noise()
    sequence.depths[0] = np.ones((16, 16), np.float32)
    with pytest.raises(MdepthError, match='noise, frame 0: none of 256 pixels'):
        evaluate(broken, whole_sequences([sequence]), ALL)


def test_without_truth_there_is_latency_and_a_line_that_says_so(estimator):
    result = evaluate(estimator, whole_sequences([Noise()]), ALL)
    report = json_report(result)
    assert (report['single'], report['multi'], report['scale']) == (
        None, None, {'mean': None, 'std': None})
    assert (report['frames'], report['frames_run'], report['frames_multi']) == (0, 4, 3)
    assert report['latency_ms']['p95'] >= report['latency_ms']['median'] > 0
    text = text_report(result)
    assert 'no truth' in text
    assert '3 of 4 frames (75 %)' in text
    assert 'AbsRel' not in text


def test_frames_without_truth_among_others_do_not_count(estimator):
    sequence = Noise()
    sequence.depths = {0: np.full((16, 16), 3, np.float32), 2: np.full((16, 16), 5, np.float32),
                       3: np.full((16, 16), np.nan, np.float32)}
    report = json_report(evaluate(estimator, whole_sequences([sequence]), ALL), per_frame=True)
    assert (report['frames'], report['frames_run']) == (2, 4)
    assert [f['index'] for f in report['per_frame'] if 'multi' in f] == [0, 2]
    assert report['multi']['abs_rel'] == pytest.approx(
        np.mean([report['per_frame'][i]['multi']['abs_rel'] for i in (0, 2)]))


def test_means_worked_by_hand(estimator):
    sequence = Noise()
    sequence.depths = {i: np.full((8, 8), 3, np.float32) for i in range(4)}
    frame = evaluate(estimator, whole_sequences([sequence]), ALL).per_frame[1]

    def with_error(multi, scale, mode):
        pair = replace(frame.scores.scaled,
                       single=replace(frame.scores.scaled.single, abs_rel=0.2),
                       multi=replace(frame.scores.scaled.multi, abs_rel=multi))
        return replace(frame, mode=mode, latency_ms=10 * scale,
                       scores=replace(frame.scores, scaled=pair, multi_scale=scale))

    # A draw is no win, and a frame without an earlier one does not compete.
    result = summarise([with_error(0.1, 1.0, Mode.MULTI), with_error(0.2, 3.0, Mode.MULTI),
                        with_error(0.0, 5.0, Mode.SINGLE)])
    row = result.rows['all']
    assert (row.frames, row.matched, row.wins) == (3, 2, 1)
    assert (row.single.abs_rel, row.multi.abs_rel) == pytest.approx((0.2, 0.1))
    # Scales 1 3 5: deviation sqrt((4 + 0 + 4) / 3).
    assert (result.multi_scale.mean, result.multi_scale.std) == pytest.approx((3, (8 / 3) ** 0.5))
    assert (result.latency.median_ms, result.latency.p95_ms) == pytest.approx((30, 48))
    report = json_report(result)
    assert list(report)[:4] == ['single', 'multi', 'scale', 'frames']
    assert list(report['single']) == list(report['multi']) == METRICS
    assert report['multi_wins'] == {'count': 1, 'of': 2, 'share': 0.5}
    text = text_report(result)
    assert '1 of 2 matched frames (50 %)' in text
    with pytest.raises(ValueError, match='got none'):
        summarise([])


def test_the_table_is_aligned(estimator):
    sequence = Noise()
    sequence.depths = {i: np.full((8, 8), 3 + i, np.float32) for i in range(4)}
    result = evaluate(estimator, whole_sequences([sequence]), ALL)
    table = text_report(result).split('\n\n')[0].splitlines()
    ends = table[0].index('AbsRel') + len('AbsRel')
    assert len(table) == 1 + 2 * 3  # all, matched, unscaled
    for line in table[1:]:
        assert line[:ends].split()[-1] in {
            f'{getattr(row, kind).abs_rel:.3f}' for kind in ('single', 'multi')
            for row in (*result.rows.values(), result.published)}


def test_watch_sees_every_frame(estimator):
    seen = []
    stretch = Stretch(Noise(), range(0, 4), 2, lambda index: None)
    evaluate(estimator, [stretch], ALL, seen.append)
    assert [played.score.index for played in seen] == [2, 3]
    assert seen[0].rgb.shape == (64, 64, 3)
