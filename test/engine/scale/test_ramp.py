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

import math

from mdepth_ros.engine.scale.ramp import Ramp
from mdepth_ros.engine.scale.state import FixedScale, Scale, ScaleState
import pytest

SEARCHING, LOCKED, LOST = ScaleState.SEARCHING, ScaleState.LOCKED, ScaleState.LOST


def follow(ramp, value, state, frames=1, may_jump=False):
    steps = []
    for _ in range(frames):
        before = ramp.scale.value
        ramp.follow(Scale(value, state), may_jump)
        steps.append(ramp.scale.value / before - 1)
    return steps


def test_jumps_at_once_where_nobody_sees_it():
    ramp = Ramp(1.0)
    follow(ramp, 3.0, LOCKED, may_jump=True)
    assert ramp.scale == Scale(3.0, LOCKED)
    assert ramp.arrived


@pytest.mark.parametrize('value', [0.5, 2.0])
def test_is_not_locked_before_it_arrives(value):
    ramp = Ramp(1.0)
    steps = follow(ramp, value, LOCKED, 10)
    assert ramp.scale.state is SEARCHING
    assert not ramp.arrived
    steps += follow(ramp, value, LOCKED, 60)
    assert max(map(abs, steps)) <= 0.015 + 1e-9
    assert ramp.scale.state is LOCKED
    assert ramp.scale.value == pytest.approx(value, rel=0.0076)


def test_stands_still_until_the_found_scale_is_clearly_another():
    ramp = Ramp(1.0)
    follow(ramp, 1.0, LOCKED, 2, may_jump=True)
    assert follow(ramp, 1.014, LOCKED, 5) == [0.0] * 5
    steps = follow(ramp, 1.1, LOCKED, 20, may_jump=True)  # once locked it never jumps
    assert max(map(abs, steps)) <= 0.01 + 1e-9
    assert ramp.scale == Scale(pytest.approx(1.1, rel=0.0075), LOCKED)
    assert follow(ramp, 1.095, LOCKED) == [0.0]


def test_lost_keeps_the_value_and_says_so():
    ramp = Ramp(1.0)
    follow(ramp, 2.0, LOCKED, may_jump=True)
    follow(ramp, 2.0, LOST)
    assert ramp.scale == Scale(2.0, LOST)
    assert ramp.arrived


def test_lost_before_it_was_ever_found():
    ramp = Ramp(1.0)
    follow(ramp, 1.0, LOST)
    assert ramp.scale == Scale(1.0, LOST)
    assert not ramp.arrived


def test_fixed_scale_is_locked():
    assert FixedScale(2.0).scale == Scale(2.0, LOCKED)


@pytest.mark.parametrize('value', [0.0, -1.0, math.nan])
def test_no_scale_is_refused(value):
    with pytest.raises(ValueError, match='value must be > 0'):
        FixedScale(value)
    with pytest.raises(ValueError, match='start must be > 0'):
        Ramp(value)
