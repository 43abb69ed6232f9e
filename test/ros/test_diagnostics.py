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

from diagnostic_msgs.msg import DiagnosticStatus
from mdepth_ros.engine.frames import DepthEstimate, Mode, Timings
from mdepth_ros.engine.scale.state import Scale, ScaleState
from mdepth_ros.ros.diagnostics import node_of, Status, status_name, values_of
import numpy as np
import pytest
from rclpy.serialization import serialize_message
import torch

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
LOCKED = Scale(1.5, ScaleState.LOCKED)
EMPTY = torch.zeros(1, 1, 64, 96)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def estimate(mode=Mode.MULTI, reason=''):
    return DepthEstimate(
        depth=EMPTY, valid=EMPTY > 0, confidence=EMPTY, single_depth=EMPTY,
        rgb=np.zeros((1, 1, 3), np.uint8),
        K=torch.eye(3), stamp_ns=1, mode=mode, reason=reason, T_source_target=None,
        source_stamp_ns=None, T_previous_target=None, previous_stamp_ns=None, scale=1.0,
        timings=Timings(1.0, 2.0, 3.0, 4.0))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def status(clock):
    return Status(clock)


def summary(status, paused=''):
    message = status.message('mdepth: depth', 9, 2, {'device': 'cpu'}, paused).status[0]
    return message.level, message.message, {v.key: v.value for v in message.values}


def test_before_the_first_image(status):
    level, text, values = summary(status)
    assert (level, text) == (WARN, 'waiting: no image yet')
    assert (values['images_received'], values['images_replaced']) == ('9', '2')
    assert 'scale' not in values
    assert 'latency_ms' not in values


def test_means_and_rate_of_the_last_seconds(status, clock):
    for i in range(1, 21):
        clock.now = 0.5 * i
        status.accepted(estimate(), LOCKED, 10.0 + i, 5.0)
    level, text, values = summary(status)
    assert (level, text) == (OK, 'multi')
    assert float(values['rate_hz']) == pytest.approx(2.2)  # both ends of the window count
    assert float(values['latency_ms']) == pytest.approx(25.0)
    assert [values[f'{stage}_ms'] for stage in (
        'preprocess', 'single', 'pose', 'multi', 'publish')] == [
            '1.00', '2.00', '3.00', '4.00', '5.00']
    assert (values['scale'], values['scale_state']) == ('1.5', 'locked')
    assert values['network_size'] == '96 x 64'
    assert values['frames_published'] == '20'


def test_rate_of_a_node_that_just_started(status, clock):
    clock.now = 1.0
    for _ in range(10):
        status.accepted(estimate(), LOCKED, 1.0, 1.0)
    assert summary(status)[2]['rate_hz'] == '10.00'


def test_single_mode_says_why(status):
    status.accepted(estimate(Mode.SINGLE, 'a gap of 2.000 s'), LOCKED, 1.0, 1.0)
    _, text, values = summary(status)
    assert (text, values['reason']) == ('single', 'a gap of 2.000 s')


def test_errors_stay_for_some_seconds(status, clock):
    with status.at_work():
        status.accepted(estimate(), LOCKED, 1.0, 1.0)
        status.refused('encoding is odd')
    assert summary(status)[:2] == (ERROR, 'encoding is odd')
    assert summary(status)[2]['images_rejected'] == '1'
    clock.now = 4.9
    assert summary(status)[0] == ERROR
    clock.now = 5.1
    assert summary(status)[:2] == (WARN, 'waiting: no image for some seconds')


def test_a_failure_stays(status, clock):
    status.failed('the worker failed')
    clock.now = 1e6
    assert summary(status)[:2] == (ERROR, 'the worker failed')


def test_what_is_meant_to_be_is_ok(status):
    status.unheard(LOCKED)
    assert summary(status)[:2] == (OK, 'waiting: nobody subscribes')
    assert summary(status)[2]['scale_state'] == 'locked'
    assert summary(status, 'disabled by ~/enable')[:2] == (OK, 'waiting: disabled by ~/enable')
    assert summary(status)[2]['frames_unheard'] == '1'


def test_silence_after_an_image_is_a_warning(status, clock):
    clock.now = 100.0
    with status.at_work():
        status.unheard(LOCKED)
    clock.now = 104.9
    assert summary(status)[1] != 'waiting: no image for some seconds'
    clock.now = 105.1
    assert summary(status)[:2] == (WARN, 'waiting: no image for some seconds')


def test_work_that_takes_long_is_no_silence(status, clock):
    with status.at_work():
        clock.now = 60.0  # networks are compiled
        assert summary(status)[:2] == (WARN, 'waiting: the first image is being worked on')
        status.accepted(estimate(), LOCKED, 1.0, 1.0)
    clock.now = 100.0
    with status.at_work():
        assert summary(status)[1] == 'multi'
        clock.now = 105.1
        assert summary(status)[:2] == (
            WARN, 'waiting: an image has been worked on for some seconds')
    assert summary(status)[1] == 'multi'
    clock.now = 110.2
    assert summary(status)[1] == 'waiting: no image for some seconds'


@pytest.mark.parametrize('state', [ScaleState.SEARCHING, ScaleState.LOST])
def test_an_uncertain_scale_is_a_warning(status, state):
    status.accepted(estimate(), Scale(1.0, state), 1.0, 1.0)
    assert summary(status)[:2] == (WARN, f'multi, scale {state.value}')
    status.withheld('the scale is not known yet', Scale(2.0, ScaleState.SEARCHING))
    level, text, values = summary(status)
    assert (level, text) == (WARN, 'waiting: the scale is not known yet')
    assert (values['scale'], values['scale_state']) == ('2', 'searching')


def test_what_was_said_is_read_back(status):
    message = status.message('mdepth: depth', 9, 2, {'device': 'cpu'})
    cdr = serialize_message(message)
    assert values_of(cdr, 'mdepth: depth') == {v.key: v.value for v in message.status[0].values}
    assert values_of(cdr, 'other: depth') == {}


def test_a_status_is_named_after_its_node():
    assert status_name('/robot/mdepth') == 'robot/mdepth: depth'
    assert node_of(status_name('/robot/mdepth')) == '/robot/mdepth'
    assert node_of('battery') is None
