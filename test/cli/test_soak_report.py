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

"""What makes a run fail, one thing at a time, and how depths are paired with their images."""

from dataclasses import replace

from mdepth_ros.cli.soak.counts import NodeCounts
from mdepth_ros.cli.soak.latency import latencies_ms, longest_pause_s
from mdepth_ros.cli.soak.observed import MemorySample, Observed, ReceivedDepth, Restart, Visit
from mdepth_ros.cli.soak.report import judge
from mdepth_ros.ros.bag_player import PlayedFrame
from mdepth_ros.ros.lifecycle_client import TransitionResult
import numpy as np
import pytest

SECOND = 10**9
# Wall clock, and the stamps of a bag that was recorded long before.
START, STAMPS = 1_700_000_000 * SECOND, 1_500_000_000 * SECOND
MINUTES = 10
RESTARTS = (150, 300, 450)


def steady(memory=lambda second: 500.0, latency=lambda second: 0.050, silent=lambda second: False):
    """Ten minutes at 10 Hz with three restarts of 4 s, and all of it in order."""
    times = np.arange(0, 60 * MINUTES, 0.1)
    played = [PlayedFrame(STAMPS + round(t * SECOND), START + round(t * SECOND)) for t in times]
    received = [ReceivedDepth(frame.stamp_ns, frame.published_ns + round(latency(t) * SECOND))
                for frame, t in zip(played, times)
                if not silent(t) and not any(s <= t < s + 4 for s in RESTARTS)]
    return Observed(
        began_ns=START, ended_ns=START + 60 * MINUTES * SECOND, played=played, received=received,
        memory=[MemorySample(START + s * SECOND, memory(s)) for s in range(60 * MINUTES)],
        transitions=[TransitionResult('activate', 'active', 0.1)] * 7, missed=[],
        first_depth_s=0.3,
        restarts=[Restart(START + s * SECOND, START + (s + 4) * SECOND, (0.1, 0.2))
                  for s in RESTARTS],
        visits=[Visit(START, 0.5)] * 100, counts=NodeCounts().totals(), turns=5, trouble='',
        exit_status=0)


def failed(observed):
    """Names of the criteria that do not hold; the verdict follows from them."""
    report = judge(observed)
    names = [criterion.name for criterion in report.criteria if not criterion.holds]
    assert report.passed is (not names and not observed.trouble)
    assert ('it lasted' in report.text()) is report.passed
    assert report.text().count('FAILED') == len(names)
    return names


def test_a_steady_run_lasts():
    report = judge(steady())
    assert failed(steady()) == []
    assert report.latency.median_ms == pytest.approx(50.0)
    assert report.latency.p99_ms == pytest.approx(50.0)
    assert report.seconds == 60 * MINUTES
    # Neither the first 5 s nor a restart's 4 s and the 5 s after it.
    assert report.latency.count == pytest.approx(10 * (600 - 5 - 3 * 9), abs=5)
    assert report.latency_with_restarts.count == 10 * (600 - 3 * 4)


@pytest.mark.parametrize(('growth', 'names'), [
    (0.04, []), (0.06, ['growth of memory']), (-0.5, [])])
def test_memory_that_grows_step_by_step(growth, names):
    # The medians of the second and the last tenth are 0.8 of the run apart.
    assert failed(steady(memory=lambda s: 500 * (1 + growth * (s - 90) / (0.8 * 600)))) == names


def test_memory_of_the_warm_up_and_of_restarts_does_not_count():
    assert failed(steady(memory=lambda s: 100.0 if s < 55 or s % 30 < 5 else 500.0)) == []


def test_memory_of_a_short_run_is_not_judged():
    observed = steady(memory=lambda s: 500.0 + s)
    short = replace(observed, ended_ns=START + 299 * SECOND)
    assert judge(observed).criteria[0].figure == pytest.approx(480 / 590, abs=0.02)
    assert judge(short).criteria[0].figure is None
    assert judge(replace(short, memory=[], ended_ns=START + 1)).memory_mb == []
    assert 'not judged' in judge(short).text()


@pytest.mark.parametrize(('slow_s', 'names'), [
    (0.099, []), (0.101, ['latency 99 % / median'])])
def test_two_percent_of_slow_frames(slow_s, names):
    assert failed(steady(latency=lambda t: slow_s if round(10 * t) % 50 == 0 else 0.05)) == names


def test_slow_frames_after_a_restart_are_expected():
    def after(t):
        return any(s <= t < s + 8.9 for s in RESTARTS)
    assert failed(steady(latency=lambda t: 0.4 if after(t) else 0.05)) == []


@pytest.mark.parametrize(('began', 'seconds', 'names'), [
    (200, 4.5, []), (200, 5.5, ['longest pause [s]']),
    (590, 99, ['longest pause [s]']),  # to the end
    (0, 4.5, []),
    (155, 140, ['longest pause [s]']),  # from one restart to the next
])
def test_a_node_that_falls_silent(began, seconds, names):
    assert failed(steady(silent=lambda t: began <= t < began + seconds)) == names


def test_no_depth_at_all():
    silent = replace(steady(silent=lambda t: True), first_depth_s=None)
    assert failed(silent) == ['activations without depth', 'longest pause [s]']
    assert longest_pause_s(silent) == pytest.approx(150.0)
    assert judge(silent).latency is None


@pytest.mark.parametrize(('change', 'names'), [
    ({'missed': ['cleanup']}, ['missed transitions']),
    ({'restarts': [Restart(START + SECOND, START + 2 * SECOND, (0.1, None))]},
     ['activations without depth']),
    ({'visits': [Visit(START, 0.5), Visit(START, None)]}, ['visitors without a topic']),
    ({'exit_status': -9}, ['exit status']),
    ({'trouble': 'the node ended'}, []),
])
def test_each_alone_is_enough_to_fail(change, names):
    observed = steady(silent=lambda t: False)
    if 'restarts' in change:
        # Without the other restarts their 4 s are pauses, which are allowed.
        assert 4.0 < longest_pause_s(replace(observed, **change)) < 5.0
    observed = replace(observed, **change)
    assert failed(observed) == names
    assert not judge(observed).passed


def test_a_stamp_that_was_played_again_belongs_to_its_latest_image():
    turns = [[PlayedFrame(STAMPS + i, START + 1000 * turn + 10 * i) for i in range(5)]
             for turn in range(3)]
    received = [ReceivedDepth(f.stamp_ns, f.published_ns + 7) for turn in turns for f in turn]
    foreign = [ReceivedDepth(STAMPS + 99, START + 50), ReceivedDepth(STAMPS, START - 1)]
    times, ms = latencies_ms([f for turn in turns for f in turn], received + foreign)
    assert times.tolist() == [f.published_ns for turn in turns for f in turn]
    assert ms.tolist() == pytest.approx([7e-6] * 15)


def test_counts_add_up_over_activations():
    counts = NodeCounts()
    for received in (3, 10, 12, 0, 5, 2, 4):
        counts.add({'images_received': str(received), 'images_replaced': '0',
                    'images_rejected': '0', 'frames_published': '7', 'mode': 'multi'})
    assert counts.totals() == {'images_received': 12 + 5 + 4, 'images_replaced': 0,
                               'images_rejected': 0, 'frames_published': 7}
