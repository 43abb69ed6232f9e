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

"""A bag played over and over: its pace, its stamps from turn to turn, and its end."""

import time

from bags import messages, PERIOD_NS, stamp_ns, write_bag, write_bag2
from camera_messages import STORES
from mdepth_ros.errors import MdepthError
from mdepth_ros.messages.serialised import stamp_of
from mdepth_ros.ros.bag_loop import BagLoop
from mdepth_ros.ros.bag_player import BagPlayer
from mdepth_ros.ros.child_process import wait_until
from mdepth_ros.ros.listener import Listener
import numpy as np
import pytest
from sensor_msgs.msg import Image

FRAMES = 5


@pytest.fixture
def player(tmp_path):
    write_bag2(tmp_path / 'bag', FRAMES)
    with BagPlayer(tmp_path / 'bag', namespace='/loop_test') as made:
        yield made


@pytest.mark.parametrize('jump_back', [False, True])
def test_stamps_from_turn_to_turn(player, jump_back):
    heard = []
    with (Listener('/loop_test', {'image': Image},
                   lambda topic, cdr, ns: heard.append((topic, stamp_of(cdr), ns))),
          BagLoop(player, 50.0, jump_back) as loop):
        wait_until(lambda: len(heard) >= 5 * FRAMES, 20.0, 'five turns', loop.check)
    # While the two find each other, messages are lost; none after.
    heard = heard[FRAMES:]
    stamps = [stamp for _, stamp, _ in heard]
    first = [frame.stamp_ns for frame in loop.played].index(stamps[0])
    assert stamps == [f.stamp_ns for f in loop.played][first:first + len(stamps)]
    steps = np.diff(stamps)
    if jump_back:
        assert set(stamps) == {stamp_ns(i) for i in range(FRAMES)}
        assert steps.min() == -PERIOD_NS * (FRAMES - 1)
    else:
        assert set(steps) == {PERIOD_NS}
    # A message is received after it is published, by the same clock.
    waits = [ns - f.published_ns for (_, _, ns), f in zip(heard, loop.played[first:])]
    assert min(waits) > 0
    assert np.median(waits) < 1e9


def test_an_error_of_the_one_who_hears_is_raised_at_the_end(player):
    heard = []

    def fail(topic, cdr, ns):
        heard.append(topic)
        raise ZeroDivisionError('made by a test')

    listener = Listener('/loop_test', {'image': Image}, fail)
    with BagLoop(player, 50.0) as loop:
        wait_until(lambda: heard, 20.0, 'an image', loop.check)
    with pytest.raises(ZeroDivisionError, match='made by a test'):
        listener.close()


def test_the_rate_is_not_the_bags(player):
    # 20 Hz in the bag.
    with BagLoop(player, 40.0) as loop:
        wait_until(lambda: loop.turns == 4, 20.0, 'four turns', loop.check)
        played = loop.played[:4 * FRAMES]
    periods = np.diff([frame.published_ns for frame in played]) * 1e-9
    # A busy machine makes some late, and none of them late enough for the bag's own rate.
    assert 0.8 / 40 < np.median(periods) < 1.6 / 40


def test_it_ends_in_the_middle_of_a_turn(player):
    with BagLoop(player, 2.0) as loop:
        wait_until(lambda: loop.played, 10.0, 'an image')
        started = time.monotonic()
    assert time.monotonic() - started < 1.5
    assert len(loop.played) < FRAMES


def test_it_does_not_wait_for_the_end_of_a_pause(tmp_path):
    # The second image comes an hour later.
    write_bag(tmp_path / 'bag', 'mcap', [
        ('/cam/image_raw', stamp_ns(0) + index * 3600 * 10**9, messages(STORES['ros2'], index)[1])
        for index in range(2)])
    with BagPlayer(tmp_path / 'bag', namespace='/loop_test') as player:
        with BagLoop(player, 1 / 3600) as loop:
            wait_until(lambda: loop.played, 10.0, 'an image', loop.check)
            started = time.monotonic()
        assert time.monotonic() - started < 5
        assert len(loop.played) == 1


def test_one_image_has_no_rate(tmp_path):
    write_bag2(tmp_path / 'bag', 1)
    with (BagPlayer(tmp_path / 'bag', namespace='/loop_test') as player,
          BagLoop(player, 30.0) as loop,
          pytest.raises(MdepthError, match='two times or more, got 1 images')):
        wait_until(lambda: False, 10.0, 'the error', loop.check)
