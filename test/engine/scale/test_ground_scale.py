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

from ground_views import HEIGHT, View
from mdepth_ros.engine.frames import DepthEstimate, Mode, Timings
from mdepth_ros.engine.scale.ground import GroundScale
from mdepth_ros.engine.scale.ground_plane import GroundPrior
from mdepth_ros.engine.scale.state import Scale, ScaleState
import numpy as np
import pytest
import torch

METRES_PER_UNIT = 1.6
APPLIED = 1.25  # the scale that the estimates were made with


class Camera:
    """Shows views to a scale at 10 Hz."""

    def __init__(self):
        self.stamp_ns = 0
        self.scale = GroundScale(1.0, HEIGHT, GroundPrior())

    def show(self, view, seconds, noise=0.05):
        """Return the states of the scale, one per frame."""
        states = []
        for _ in range(round(10 * seconds)):
            self.stamp_ns += 100_000_000
            depth = view.depth(noise, self.stamp_ns % 97) * (APPLIED / METRES_PER_UNIT)
            ones = torch.ones_like(depth)
            self.scale.follow(DepthEstimate(
                depth=depth, valid=ones > 0, confidence=ones, single_depth=depth,
                rgb=np.zeros((1, 1, 3), np.uint8),
                K=view.K, stamp_ns=self.stamp_ns, mode=Mode.SINGLE, reason='',
                T_source_target=None, source_stamp_ns=None, T_previous_target=None,
                previous_stamp_ns=None, scale=APPLIED, timings=Timings(0, 0, 0, 0)))
            states.append(self.scale.scale.state)
        return states


def small(**tilt):
    return View(208, 160, 70.0, **tilt)


GROUND = small(pitch_deg=5).ground().boxes(0.3, 0)
WALL = small().wall(1.0)
TABLE = small(pitch_deg=12).table(0.4 * HEIGHT, 10.0)  # no floor to be seen


def test_locks_within_two_seconds_and_five_percent():
    camera = Camera()
    states = camera.show(GROUND, 2.0)
    assert states[0] is ScaleState.SEARCHING
    assert states[-1] is ScaleState.LOCKED
    assert camera.scale.scale.value == pytest.approx(METRES_PER_UNIT, rel=0.05)


def test_a_wall_is_lost_and_the_ground_is_found_again():
    camera = Camera()
    camera.show(GROUND, 3.0)
    before = camera.scale.scale.value
    assert camera.show(WALL, 3.0)[-1] is ScaleState.LOST
    assert camera.scale.scale.value == before
    assert camera.show(GROUND, 2.0)[-1] is ScaleState.LOCKED


def test_without_ground_it_never_locks():
    camera = Camera()
    states = camera.show(WALL, 4.0)
    assert set(states) == {ScaleState.SEARCHING, ScaleState.LOST}
    assert camera.scale.scale == Scale(1.0, ScaleState.LOST)


def test_a_table_does_not_take_the_place_of_the_ground():
    camera = Camera()
    camera.show(GROUND, 3.0)
    assert camera.show(TABLE, 4.0)[-1] is ScaleState.LOST
    assert camera.scale.scale.value == pytest.approx(METRES_PER_UNIT, rel=0.05)


def test_the_ground_takes_the_place_of_a_table():
    camera = Camera()
    assert camera.show(TABLE, 3.0)[-1] is ScaleState.LOCKED
    assert camera.show(GROUND, 10.0)[-1] is ScaleState.LOCKED
    assert camera.scale.scale.value == pytest.approx(METRES_PER_UNIT, rel=0.05)


def test_time_that_goes_back_does_not_stop_it():
    camera = Camera()
    camera.show(GROUND, 3.0)
    camera.stamp_ns = 0
    assert camera.show(WALL, 3.0)[-1] is ScaleState.LOST


@pytest.mark.parametrize('height', [0.0, -1.0, math.nan])
def test_no_height_is_refused(height):
    with pytest.raises(ValueError, match='camera_height must be > 0'):
        GroundScale(1.0, height, GroundPrior())
