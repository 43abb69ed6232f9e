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

"""Which past frames are kept."""

from mdepth_ros.engine.backends.runner import Description
from mdepth_ros.engine.frame_buffer import FrameBuffer, PastFrame
import numpy as np
import pytest
import torch


def past(stamp_ns, travelled=0.0):
    nothing = Description(*[torch.zeros(1)] * 3)
    return PastFrame(nothing, stamp_ns, travelled=travelled)


def drive(buffer, steps, first=0):
    """Append a frame per step, a step being how far the image moves [image widths]."""
    newest = buffer.newest
    travelled = 0.0 if newest is None else newest.travelled
    for i, step in enumerate(steps):
        travelled += step
        buffer.append(past(first + i, travelled))
    return [buffer.newest.travelled - frame.travelled for frame in buffer]


def test_a_buffer_of_one_holds_the_newest():
    buffer = FrameBuffer(1)
    assert buffer.newest is None
    for stamp in range(5):
        buffer.append(past(stamp))
        assert [frame.stamp_ns for frame in buffer] == [stamp]
    buffer.clear()
    assert len(buffer) == 0
    assert buffer.newest is None


@pytest.mark.parametrize('step', [0.0005, 0.002, 0.01])
def test_a_steady_camera_finds_any_parallax_within_a_factor(step):
    """At 60 Hz as at 10, to the edge of view."""
    back = np.array(drive(FrameBuffer(8), [step] * 500))
    assert len(back) == 8
    assert back[-1] == 0
    for wanted in np.geomspace(max(step, 0.004), 0.3, 20):
        assert np.abs(np.log(back[:-1] / wanted)).min() < np.log(2.2)


def test_a_robot_that_stops_keeps_what_it_saw_on_its_way():
    buffer = FrameBuffer(8)
    drive(buffer, [0.01] * 30)
    back = drive(buffer, [0.0] * 200, first=30)
    assert sum(distance > 0.005 for distance in back) >= 4


def test_what_is_out_of_view_goes_first():
    buffer = FrameBuffer(4)
    drive(buffer, [0.01] * 4)
    assert drive(buffer, [0.7], first=4) == pytest.approx([0.72, 0.71, 0.7, 0])
    assert drive(buffer, [0.01] * 4, first=5)[0] < 0.6


@pytest.mark.parametrize('stamp', [4, 5])
def test_the_buffer_takes_only_newer_frames(stamp):
    buffer = FrameBuffer(3)
    buffer.append(past(5))
    with pytest.raises(ValueError, match=f'stamp_ns must be after 5, got {stamp}'):
        buffer.append(past(stamp))
    assert len(buffer) == 1


def test_a_buffer_for_nothing_is_refused():
    with pytest.raises(ValueError, match='capacity must be at least 1, got 0'):
        FrameBuffer(0)
