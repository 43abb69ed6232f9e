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

"""QoS, flow of frames, services, time."""

from contextlib import ExitStack
import os
from pathlib import Path
import time

from diagnostic_msgs.msg import DiagnosticArray
from harness import Harness, STEP, wait_for
from mdepth_ros.ros.child_process import ChildProcess
from mdepth_ros.ros.diagnostics import values_of
from mdepth_ros.ros.lifecycle_client import LifecycleClient
from mdepth_ros.ros.listener import Listener
from mdepth_ros.ros.transport import large_message_environment, shared_memory_suffices
import pytest
from rclpy.qos import ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo
from std_srvs.srv import SetBool, Trigger

BEST_EFFORT, RELIABLE = ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE


def reliability_of(h, topic, publisher):
    infos = (h.other.get_publishers_info_by_topic if publisher
             else h.other.get_subscriptions_info_by_topic)(f'{h.namespace}/{topic}')
    return {info.qos_profile.reliability for info in infos if info.node_name == 'mdepth'}


def test_default_qos_connects_to_sensors_and_to_consumers(tiny_weights):
    with Harness(tiny_weights, reliability=BEST_EFFORT).start() as h:
        assert reliability_of(h, 'image', publisher=False) == {BEST_EFFORT}
        assert reliability_of(h, 'camera_info', publisher=False) == {BEST_EFFORT}
        for topic in ('depth/image', 'depth/points', 'odometry'):
            assert reliability_of(h, topic, publisher=True) == {RELIABLE}
        assert h.works(STEP)


def test_qos_overrides(tiny_weights):
    overrides = {'qos_overrides.NS/image.subscription.reliability': 'reliable',
                 'qos_overrides.NS/depth/image.publisher.reliability': 'best_effort'}
    with Harness(tiny_weights, listen=('depth/color',), **overrides).start() as h:
        assert reliability_of(h, 'image', publisher=False) == {RELIABLE}
        assert reliability_of(h, 'depth/image', publisher=True) == {BEST_EFFORT}
        h.send(STEP)
        assert h.depth_of(STEP, 'depth/color') is not None


def test_a_slow_network_sees_the_newest_frames_and_every_frame_is_accounted_for(tiny_weights):
    with Harness(tiny_weights, listen=('depth/image',)).start() as h:
        push = h.node._estimator.push

        def slow(frame):
            time.sleep(0.15)
            return push(frame)

        h.node._estimator.push = slow
        due, count = time.monotonic(), 60
        for i in range(1, count + 1):
            h.send(i * STEP // 3)
            now = time.monotonic()
            due = max(due + 1 / 30, now)  # no burst, which a queue might lose
            time.sleep(due - now)
        last = count * STEP // 3
        assert h.depth_of(last) is not None, 'the newest must not be the one that is dropped'
        values = h.status()[1]
        assert int(values['images_replaced']) > count / 3
        assert int(values['images_received']) == accounted_for(values) == count
        assert int(values['frames_published']) == len(h.received['depth/image'])


def accounted_for(values):
    """Sum of what became of the frames, of the diagnostics' values."""
    return sum(int(values[key]) for key in (
        'frames_published', 'images_replaced', 'images_rejected', 'frames_withheld',
        'frames_unheard'))


@pytest.mark.skipif(not shared_memory_suffices(), reason='too little shared memory')
def test_nothing_is_lost_at_30_hz_1280x720(tiny_weights, tmp_path):
    """Node and camera are processes of their own, since the profile is read once by each."""
    count, namespace = 120, '/hd'
    statuses, infos = [], []

    def heard(topic, cdr, received_ns):
        if topic == '/diagnostics':
            statuses.extend(filter(None, [values_of(cdr, f'{namespace[1:]}/mdepth: depth')]))
        else:
            infos.append(cdr)

    camera_environment = large_message_environment()
    camera_environment['PYTHONPATH'] = os.pathsep.join(
        [str(Path(__file__).parent), camera_environment.get('PYTHONPATH', '')])
    words = ['--ros-args', '-r', f'__ns:={namespace}', '-p', f'weights:={tiny_weights}',
             # The size makes it compile before the images come, and slower than the camera.
             '-p', 'network.width:=640', '-p', 'network.height:=384', '-p', 'threads:=1',
             '-p', 'diagnostics.rate:=5.0']
    with ExitStack() as stack:
        node = ChildProcess('the node', 'mdepth_ros.ros.depth_node', words, tmp_path / 'node')
        stack.callback(node.stop)
        stack.enter_context(Listener(namespace, {
            '/diagnostics': DiagnosticArray, 'depth/camera_info': CameraInfo}, heard))
        client = stack.enter_context(LifecycleClient(f'{namespace}/mdepth', check=node.check))
        client.change('configure', 120.0)
        client.change('activate')
        camera = ChildProcess('the camera', 'camera_process', [namespace, '1280', '720',
                              str(count)], tmp_path / 'camera', camera_environment)
        stack.callback(camera.stop)
        camera.wait_for_line(f'^sent {count}$', 60.0)
        # The last frames are on their way or at work, and the networks were compiled meanwhile.
        assert wait_for(lambda: statuses and accounted_for(statuses[-1]) == count,
                        90.0), statuses[-1:]
        values = statuses[-1]
        published = int(values['frames_published'])
        assert wait_for(lambda: len(infos) >= published)
    print({key: value for key, value in values.items() if key.startswith(('images', 'frames'))})
    assert int(values['images_received']) == accounted_for(values) == count
    assert int(values['images_rejected']) == int(values['frames_withheld']) == 0
    # Or the test says nothing about replaced images.
    assert 0 < int(values['images_replaced']) < count
    assert published == len(infos)
    for seen in statuses:
        # In between, one frame may be at work and one may wait for it.
        assert 0 <= int(seen['images_received']) - accounted_for(seen) <= 2, seen


def test_diagnostics_say_what_takes_how_long(tiny_weights):
    with Harness(tiny_weights, listen=('depth/image',)).start() as h:
        status, values = h.status()
        assert (status.level, status.message) == (b'\x01', 'waiting: no image yet')
        for i in range(1, 6):
            assert h.works(i * STEP)
        status, values = h.status()
        assert status.name == f'{h.namespace[1:]}/mdepth: depth'
        assert (status.level, status.message) == (b'\x00', 'multi')
        assert (values['profile'], values['device'], values['network_size']) == (
            'lite', 'cpu', '96 x 64')
        assert (values['scale'], values['scale_state']) == ('1', 'locked')
        stages = {key: float(value) for key, value in values.items() if key.endswith('_ms')}
        parts = sum(stages[f'{name}_ms'] for name in (
            'preprocess', 'single', 'pose', 'multi', 'publish'))
        assert 0 < parts <= stages['latency_ms']
        assert float(values['rate_hz']) > 0
        assert h.received['/diagnostics'][-1].header.stamp.sec > 0


def test_reset_and_enable(tiny_weights):
    with Harness(tiny_weights, listen=('depth/image',)).start() as h:
        assert h.works(STEP)
        assert h.works(2 * STEP)
        assert h.client_call(Trigger, 'mdepth/reset', Trigger.Request()).success
        assert h.works(3 * STEP)
        values = h.status()[1]
        assert (values['mode'], values['reason']) == ('single', 'reset')

        assert h.client_call(SetBool, 'mdepth/enable', SetBool.Request(data=False)).success
        h.send(4 * STEP)
        assert h.depth_of(4 * STEP, timeout_s=0.3) is None
        status, values = h.status()
        assert (status.level, values['reason']) == (b'\x00', 'disabled by ~/enable')
        assert h.client_call(SetBool, 'mdepth/enable', SetBool.Request(data=True)).success
        assert h.works(5 * STEP)
        assert h.status()[1]['mode'] == 'multi'


def test_reset_of_an_idle_node_says_so(tiny_weights):
    with Harness(tiny_weights, listen=()) as h:
        answer = h.client_call(Trigger, 'mdepth/reset', Trigger.Request())
        assert (answer.success, answer.message) == (False, 'the node is not active')


def test_simulated_time_and_a_bag_that_loops(tiny_weights):
    with Harness(tiny_weights, listen=('depth/image',), use_sim_time=True).start() as h:
        clock = h.other.create_publisher(Clock, '/clock', 10)

        def tick(stamp):
            message = Clock()
            message.clock.sec, message.clock.nanosec = divmod(stamp, 10**9)
            clock.publish(message)

        # Diagnostics come although /clock stands still.
        assert h.status()[1]['reason'] == 'no image yet'
        for loop in range(2):
            for i in range(3):
                stamp = 50 * 10**9 + i * STEP
                tick(stamp)
                h.forget()
                assert h.works(stamp)
                assert h.status()[1]['mode'] == ('multi' if i else 'single')
                if loop and i == 0:
                    assert wait_for(lambda: h.logs(
                        'back to single-frame depth: time went b'))
            assert wait_for(lambda: h.status() and h.received['/diagnostics'][-1].header.stamp
                            .nanosec == 2 * STEP)
            assert h.received['/diagnostics'][-1].header.stamp.sec == 50
