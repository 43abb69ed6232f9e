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

"""The player's and the recorder's processes, over real DDS."""

import time

from bags import stamp_ns, START_NS, write_bag2
from harness import wait_for
from mdepth_ros.messages.serialised import stamp_of
from mdepth_ros.ros import reception_time
from mdepth_ros.ros.bag_player import BagPlayer
from mdepth_ros.ros.child_process import ProcessError
from mdepth_ros.ros.recorder import Recorder
from mdepth_ros.ros.recorder_process import RecorderProcess
import pytest
from rosbags.interfaces import MessageDefinitionFormat, QosReliability
from rosbags.rosbag2 import Reader

IMAGE = '/rec/image'
INFO = '/rec/camera_info'
ODOM = '/rec/odom'


@pytest.fixture(scope='module')
def recording(tmp_path_factory):
    """Twenty frames played into the recorder: what was sent, what was played, the bag, counts."""
    folder = tmp_path_factory.mktemp('recording')
    sent = write_bag2(folder / 'in', 20)
    with BagPlayer(folder / 'in', namespace='/rec') as player:
        recorder = RecorderProcess(folder / 'out', folder / 'recorder.log',
                                   topics=[IMAGE, INFO, ODOM])
        try:
            recorder.wait_subscribed([IMAGE, INFO, ODOM])
            player.wait_for_subscribers(10.0)
            time.sleep(0.3)
            played = player.play(rate=2.0)
            time.sleep(0.3)
        finally:
            counts = recorder.finish()
    return sent, played, folder / 'out', counts


def test_every_message_arrives_with_the_bytes_of_the_bag(recording):
    sent, _, bag, counts = recording
    with Reader(bag) as reader:
        images = [raw for connection, _, raw in reader.messages() if connection.topic == IMAGE]
    assert images == sent
    assert counts == {IMAGE: 20, INFO: 20, ODOM: 0}


def test_stamps_are_those_of_the_bag_and_times_those_of_reception(recording):
    _, played, bag, _ = recording
    with Reader(bag) as reader:
        received = {stamp_of(raw): time_ns for connection, time_ns, raw in reader.messages()
                    if connection.topic == IMAGE}
    assert list(received) == [frame.stamp_ns for frame in played] == [
        stamp_ns(index) for index in range(20)]
    assert stamp_of(b'\0\1\0\0' + (1_700_000_000).to_bytes(4, 'little') + bytes(4)) == START_NS
    latencies = [received[frame.stamp_ns] - frame.published_ns for frame in played]
    assert all(0 < latency < 1_000_000_000 for latency in latencies)


def test_recording_carries_definitions_and_qos(recording):
    _, _, bag, _ = recording
    with Reader(bag) as reader:
        for connection in reader.connections:
            assert connection.msgdef.format == MessageDefinitionFormat.MSG
            assert connection.digest.startswith('RIHS01_')
            qos, = connection.ext.offered_qos_profiles
            assert qos.reliability == QosReliability.RELIABLE


def test_recorder_ends_when_its_parent_is_gone(tmp_path):
    recorder = RecorderProcess(tmp_path / 'out', tmp_path / 'log', topics=['/rec/nothing'])
    recorder.process.stdin.close()
    assert recorder.wait(10.0) == 0
    with Reader(tmp_path / 'out') as reader:
        assert reader.message_count == 0
    with pytest.raises(ProcessError, match='ended with status 0'):
        recorder.check()


def test_dead_recorder_shows_its_last_words(tmp_path):
    (tmp_path / 'out').mkdir()
    with pytest.raises(ProcessError, match='exists already'):
        RecorderProcess(tmp_path / 'out', tmp_path / 'log', topics=())


@pytest.mark.parametrize('rclpy_tells_the_time', [True, False])
def test_time_of_reception_is_the_middlewares_where_rclpy_tells_it(
    tmp_path, monkeypatch, rclpy_tells_the_time
):
    """On Humble rclpy calls back with the message alone, as it does here if that is asked for."""
    if not rclpy_tells_the_time:
        monkeypatch.setattr(reception_time, 'Subscription', object)
    elif not hasattr(reception_time.Subscription, 'CallbackType'):
        pytest.skip('this rclpy does not tell')
    sent = write_bag2(tmp_path / 'in', 1)
    with BagPlayer(tmp_path / 'in', namespace='/time') as player:
        recorder = Recorder(tmp_path / 'out', topics=['/time/image'])
        try:
            assert wait_for(recorder.discover)
            player.wait_for_subscribers(10.0, camera_info=False)
            played, = player.play()
            # Python comes to it late, which only the second way cannot know.
            late_ns = played.published_ns + 10**12
            monkeypatch.setattr(reception_time.time, 'time_ns', lambda: late_ns)
            assert wait_for(lambda: recorder.spin_once() or recorder.counts['/time/image'])
        finally:
            monkeypatch.undo()
            recorder.close()
    with Reader(tmp_path / 'out') as reader:
        (_, received_ns, raw), = reader.messages()
    assert raw == sent[0]
    if rclpy_tells_the_time:
        assert 0 < received_ns - played.published_ns < 10 * 10**9
    else:
        assert received_ns == late_ns
