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

"""Means over frames and worlds, and their tables."""

import json
import math

from mdepth_ros.engine.frames import Mode
from mdepth_ros.training.evaluation.metrics import DepthMetrics
from mdepth_ros.training.evaluation.scores import Comparison
from mdepth_ros.training.robustness.events import EventRun
from mdepth_ros.training.robustness.methods import METHODS
from mdepth_ros.training.robustness.rates import RateRun
from mdepth_ros.training.robustness.runs import Run
from mdepth_ros.training.robustness.sparsification import sparsify
from mdepth_ros.training.robustness.summary import summarise
from mdepth_ros.training.robustness.table import tables
from mdepth_ros.training.robustness.view_scores import Accuracy, ViewScore
import numpy as np
import pytest

ERRORS = np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32)


def frame(single, multi, jump=None, changed=False, confidence=-ERRORS):
    comparison = Comparison(*(DepthMetrics(value, 1, 1, 1, 1, 1, 1) for value in (single, multi)))
    return ViewScore(
        0, Mode.MULTI, changed,
        Accuracy(comparison, None, sparsify(ERRORS, confidence), np.stack([ERRORS, confidence])),
        jump, None if jump is None else 2 * jump)


def run(name, ours, lead=0):
    published = [frame(score.accuracy.errors.single.abs_rel, 0.5, score.jump) for score in ours]
    return Run(name, lead, {'published': published, 'ours': ours})


def test_each_frame_has_the_same_weight_and_the_lead_none():
    runs = [run('forward', [frame(9, 9), frame(0.2, 0.1)], lead=1),
            run('forward', [frame(0.2, 0.1), frame(0.2, 0.1), frame(0.4, 0.5)]),
            run('indoor', [frame(0.2, 0.19)])]
    summary = summarise(runs, [], [])
    forward = summary['classes']['forward']
    assert (forward['worlds'], forward['frames']) == (2, 4)
    assert forward['single']['abs_rel'] == pytest.approx(0.25)
    assert forward['ours']['abs_rel'] == pytest.approx(0.2)
    assert forward['ours']['ratio'] == pytest.approx(0.8)
    assert forward['ours']['wins'] == 0.75
    assert forward['published']['ratio'] == pytest.approx(2.0)
    assert summary['worst'] == {'class': 'indoor', 'ratio': pytest.approx(0.95)}


def test_jumps_count_from_the_first_frame_on():
    frames = [frame(1, 1), *(frame(1, 1, 0.01 * n, changed=n == 50) for n in range(1, 101))]
    ours = summarise([run('indoor', frames, lead=5)], [], [])['classes']['indoor']
    assert ours['ours']['jump'] == {'max': 1.0, 'p95': pytest.approx(0.95, abs=0.01),
                                    'median': pytest.approx(0.5, abs=0.01), 'pairs': 100}
    assert ours['ours']['jump_at_switches'] == {'max': 0.5, 'p95': 0.5, 'median': 0.5,
                                                'pairs': 1}
    assert ours['single']['jump']['max'] == 2.0


def test_confidence_by_image_and_pooled():
    # Each image is ordered as well as can be; the second one's confidences are all too high.
    runs = [run('indoor', [frame(1, 1), frame(1, 1, confidence=1 - ERRORS)])]
    confidence = summarise(runs, [], [])['confidence']['ours']
    assert (confidence['ause'], confidence['ratio']) == (0, 0)
    assert (confidence['off_all'], confidence['off_kept']) == (0.5, 0.0)
    assert confidence['pooled']['ause'] > 0
    assert confidence['pooled']['off_kept'] == pytest.approx(2 / 5)


def test_rates_and_events():
    published = {10: 0.2, 30: 0.3}
    rates = [RateRun('indoor', 0.3, {'published': published, 'ours': {10: 0.2, 30: 0.2}}),
             RateRun('indoor', 0.1, {'published': published, 'ours': {10: 0.3, 30: 0.31}})]
    events = [EventRun('pause', method, 0.1, errors, [0.2, 0.2, 0.2, math.nan], jump, 0.01)
              for method, last in (('published', 0.21), ('ours', 0.9))
              for errors, jump in (([0.9, 0.2, 0.18, 0.7], None), ([0.3, 0.3, last, 0.9], 0.2))]
    summary = summarise([], rates, events)
    assert summary['rates']['indoor']['single'] == pytest.approx(0.2)
    assert summary['rates']['indoor']['published']['spread'] == pytest.approx(0.5)
    assert summary['rates']['indoor']['ours'] == {
        '10': pytest.approx(0.25), '30': pytest.approx(0.255), 'spread': pytest.approx(0.02)}
    assert summary['events']['pause']['published'] == {
        'worlds': 2, 'frames_to_recover': 2, 'seconds_to_recover': pytest.approx(0.2),
        'recovered': True, 'jump': 0.2, 'usual_jump': 0.01}
    assert summary['events']['pause']['ours']['frames_to_recover'] == 3
    assert '| pause | published | 2 frames, 0.2 s | 20.0 % | 1.0 % |' in tables(summary)


def test_what_does_not_recover_is_said():
    summary = summarise([], [], [EventRun('pause', method, 0.1, [0.3] * 15, [0.2] * 15, 0.1, 0.1)
                                 for method in METHODS])
    assert not summary['events']['pause']['ours']['recovered']
    assert 'not in 15 frames, 1.5 s' in tables(summary)


def test_frames_without_truth_leave_gaps_and_no_errors():
    blind = ViewScore(0, Mode.MULTI, False, None, None, None)
    summary = summarise([Run('recording', 0, {'published': [blind], 'ours': [blind]})], [], [])
    assert summary['worst'] is None
    assert summary['classes']['recording']['ours']['abs_rel'] is None
    assert summary['classes']['recording']['ours']['matched'] == 1
    assert '| recording | - | - | - |' in tables(summary)
    assert 'NaN' not in json.dumps(summary)


def test_nothing_at_all():
    assert tables(summarise([], [], [])) == ''
