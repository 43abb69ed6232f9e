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

"""What the player finds in a bag, when it publishes it, and what it says when it cannot."""

import time

from bags import PERIOD_NS, stamp_ns, START_NS, write_bag1, write_bag2
from mdepth_ros.engine.camera import Camera
from mdepth_ros.messages.serialised import stamp_of, with_stamp
from mdepth_ros.ros.bag_player import BagPlayer
from mdepth_ros.ros.child_process import ProcessError
import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rosbags.rosbag2 import StoragePlugin
from sensor_msgs.msg import CameraInfo, Image


class Listener:
    """A reliable subscriber in the test's own process."""

    def __init__(self, namespace):
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node('listener', namespace=namespace, context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.images, self.infos, self.times = [], [], []
        self.node.create_subscription(Image, 'image', self.on_image, 50)
        self.node.create_subscription(CameraInfo, 'camera_info', self.infos.append, 50)

    def on_image(self, image):
        self.images.append(image)
        self.times.append(time.monotonic())

    def spin(self, seconds=0.5):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.executor.spin_once(timeout_sec=0.02)

    def close(self):
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


@pytest.fixture
def listener():
    made = Listener('/player_test')
    yield made
    made.close()


def play(listener, bag, camera=None, **how):
    with BagPlayer(bag, camera=camera, namespace='/player_test') as player:
        player.wait_for_subscribers(10.0)
        time.sleep(0.2)
        played = player.play(on_frame=lambda _: listener.spin(0.001), **how)
        listener.spin()
    return played


def stamps(messages):
    return [m.header.stamp.sec * 10**9 + m.header.stamp.nanosec for m in messages]


def test_plays_at_the_pace_of_the_bag(tmp_path, listener):
    write_bag2(tmp_path / 'bag', 11)
    played = play(listener, tmp_path / 'bag', rate=2.0)
    periods_ns = np.diff([frame.published_ns for frame in played])
    # Never early but for the wait before the first one; how late is up to the machine.
    assert periods_ns.sum() >= 0.9 * 10 * PERIOD_NS / 2
    assert np.median(periods_ns) < 0.95 * PERIOD_NS
    assert stamps(listener.images) == stamps(listener.infos) == [stamp_ns(i) for i in range(11)]


def test_ros1_bag_is_converted(tmp_path, listener):
    pixels = write_bag1(tmp_path / 'a.bag', 3)
    play(listener, tmp_path / 'a.bag')
    assert [np.array_equal(m.data, p) for m, p in zip(listener.images, pixels)] == [True] * 3
    assert listener.images[0].header.frame_id == 'camera_optical'
    assert listener.infos[0].k[0] == 50.0
    assert stamps(listener.images) == [stamp_ns(i) for i in range(3)]


def test_sqlite_bag_is_read(tmp_path, listener):
    write_bag2(tmp_path / 'bag', 3, storage=StoragePlugin.SQLITE3)
    play(listener, tmp_path / 'bag')
    assert len(listener.images) == 3


def test_latched_camera_info_is_repeated_for_each_image(tmp_path, listener):
    write_bag2(tmp_path / 'bag', 3, infos='latched')
    play(listener, tmp_path / 'bag')
    assert stamps(listener.infos) == [stamp_ns(i) for i in range(3)]
    assert {m.k[0] for m in listener.infos} == {50.0}


def test_given_camera_replaces_the_bags(tmp_path, listener):
    write_bag2(tmp_path / 'bag', 3)
    play(listener, tmp_path / 'bag', Camera.from_fov(64, 48, 90.0))
    assert stamps(listener.infos) == [stamp_ns(i) for i in range(3)]
    assert listener.infos[0].k[0] == pytest.approx(32.0, rel=1e-5)
    assert listener.infos[0].p[0] == pytest.approx(32.0, rel=1e-5)


def test_loop_with_offset_moves_every_stamp(tmp_path, listener):
    write_bag2(tmp_path / 'bag', 4)
    play(listener, tmp_path / 'bag', stamp_offset_ns=10**9, limit=2)
    assert stamps(listener.images) == [stamp_ns(i) + 10**9 for i in range(2)]


def test_stamp_round_trip_in_both_byte_orders():
    for encapsulation in (b'\0\1\0\0', b'\0\0\0\0'):
        cdr = with_stamp(encapsulation + bytes(20), START_NS + 7)
        assert stamp_of(cdr) == START_NS + 7
        assert len(cdr) == 24


def test_nobody_listens(tmp_path):
    write_bag2(tmp_path / 'bag', 1)
    with (BagPlayer(tmp_path / 'bag', namespace='/player_alone') as player,
          pytest.raises(ProcessError, match=r'waited 0.2 s for a subscription to .*image')):
        player.wait_for_subscribers(0.2)
