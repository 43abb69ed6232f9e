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

"""``mdepth doctor`` on real cameras, each with one thing wrong, and on a real node."""

from contextlib import contextmanager
import json
import os
from pathlib import Path
import threading

import cv2
from doctor_camera import DISTORTED
from harness import Harness, STEP, wait_for
from mdepth_ros.engine.doctor.finding import Level
from mdepth_ros.messages.type_names import COMPRESSED_IMAGE, IMAGE
from mdepth_ros.ros.camera_info import raw_info
from mdepth_ros.ros.child_process import ChildProcess
from mdepth_ros.ros.doctor.checks import check_graph
from mdepth_ros.ros.doctor.graph import DepthNodeSeen, Endpoint, Graph, Heard
from mdepth_ros.ros.doctor.installation import check_installation, check_transport, LEAST_SEGMENT
from mdepth_ros.ros.doctor.listener import listen
from mdepth_ros.ros.transport import profile_path, profile_variables, shared_memory_suffices
import numpy as np
import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image
from std_srvs.srv import SetBool, Trigger

SECONDS = 2.5


@contextmanager
def cameras(tmp_path, **options):
    """Run a camera in each namespace."""
    environment = dict(os.environ)
    environment['PYTHONPATH'] = os.pathsep.join(
        [str(Path(__file__).parent), environment.get('PYTHONPATH', '')])
    process = ChildProcess(
        'the cameras', 'doctor_camera',
        [json.dumps({f'/{name}': given for name, given in options.items()})],
        tmp_path / 'cameras', environment)
    try:
        process.wait_for_line('^ready', 30.0)
        yield process
    finally:
        process.stop()


def listen_to_nodes(count=1, state='active'):
    """Listen until the nodes are found: a busy computer takes its time."""
    for _ in range(5):
        graph = listen(SECONDS)
        if [node.state for node in graph.depth_nodes] == [state] * count and (
                state != 'active' or all(node.message for node in graph.depth_nodes)):
            return graph
    raise AssertionError(f'{count} nodes run, found {graph.depth_nodes}')


def bad(findings):
    """Return what is not ok."""
    return [(it.level, it.what) for it in findings if it.level is not Level.OK]


def test_a_healthy_camera_has_no_findings_but_facts(tmp_path):
    with cameras(tmp_path, cam={'viewer': 'image'}) as process:
        graph = listen(SECONDS)
        findings = check_graph(graph)
        process.wait_for_line('^received from /cam', 10.0)
    assert bad(findings) == []
    text = '\n'.join(it.what for it in findings)
    assert '/cam/image: sensor_msgs/msg/Image from /driver, reliable, volatile; 128x96 at' in text
    assert '/cam/camera_info: 128x96, 80 degrees wide' in text
    assert graph.heard['/cam/image'].rate_hz == pytest.approx(10.0, rel=0.3)
    assert {it.node for it in graph.endpoints} == {'/driver', '/viewer'}


def test_best_effort_does_not_reach_a_reliable_subscriber(tmp_path):
    with cameras(tmp_path, cam={'viewer': 'image', 'reliability': 'BEST_EFFORT'}) as process:
        findings = check_graph(listen(SECONDS))
        assert 'received from /cam' not in process.log_text()  # so it is true
    (level, what), = bad(findings)
    assert level is Level.PROBLEM
    assert what == ('/cam/image: nothing passes from /driver (best effort, volatile) to /viewer '
                    '(reliable, volatile): Best effort publisher and reliable subscription')
    advice, = (it.advice for it in findings if it.advice)
    assert 'let /viewer subscribe best effort' in advice


# Name -> options of the camera, and the one thing that is found.
WRONG = {
    'zero': ({'info': 'zero'}, 'problem', 'camera is not calibrated (K is all zeros)'),
    'small': ({'info': 'small'}, 'problem',
              '/small/image is 128x96, but /small/camera_info is for 64x48'),
    'none': ({'info': 'none'}, 'problem', '/none/image: no CameraInfo on /none/camera_info'),
    'distorted': ({'info': 'distorted'}, 'warning',
                  '/distorted/image: its camera has distortion (plumb_bob), and a node by'),
    'frame': ({'frame': 'camera_link'}, 'warning',
              "/frame/image: frame_id 'camera_link' does not say 'optical'"),
    'frozen': ({'frozen': True}, 'problem', 'repeat the stamp before'),
    'slow': ({'rate': 1.0}, 'warning', ' images at '),
    'lost': ({'every': 3}, 'problem', 'CameraInfo a second: images get lost'),
    # Others work, so this stream may be off on purpose.
    'silent': ({'rate': 0.0}, 'warning', 'but no image came in 2.5 s'),
    'encoded': ({'encoding': 'nv99'}, 'problem', "encoding 'nv99' is not supported"),
    'typed': ({'viewer': 'compressed'}, 'problem',
              '/driver publishes sensor_msgs/msg/Image, /viewer wants sensor_msgs/msg/Compressed'),
}


def test_what_is_wrong_with_each_camera_is_said_once(tmp_path):
    options = {name: given for name, (given, _, _) in WRONG.items()}
    healthy = {'good': {}, 'rect': {'info': 'distorted', 'topic': 'image_rect'}}
    with cameras(tmp_path, **options, **healthy):
        found = bad(check_graph(listen(SECONDS)))
    for name, (_, level, words) in WRONG.items():
        (its, what), = ((its, what) for its, what in found if f'/{name}/' in what or (
            name == 'zero' and 'not calibrated' in what))
        assert (its.value, words in what) == (level, True), what
    assert len(found) == len(WRONG), found


@pytest.mark.parametrize(('topic', 'encoding', 'is_camera'), [
    ('/cam/image_raw', 'mono16', True), ('/cam/depth/image', 'mono16', False),
    ('/cam/aligned', '16UC1', False), ('/mdepth/confidence', '32FC1', False)])
def test_depth_is_no_camera(topic, encoding, is_camera):
    graph = Graph(1.0, (Endpoint('/driver', topic, IMAGE, QoSProfile(depth=1), publishes=True),),
                  {topic: Heard(10, 10.0, Image(encoding=encoding), 0)}, (), 0)
    assert graph.camera_topics() == [topic] * is_camera


@pytest.mark.parametrize(('topic', 'warned'), [
    ('/cam/image_rect/compressed', False), ('/cam/image_raw/compressed', True)])
def test_compressed_images_are_rectified_by_name_too(topic, warned):
    image = CompressedImage(format='png', data=cv2.imencode(
        '.png', np.zeros((96, 128), np.uint8))[1].tobytes())
    info = raw_info(DISTORTED)
    image.header.frame_id = info.header.frame_id
    graph = Graph(
        1.0, (Endpoint('/driver', topic, COMPRESSED_IMAGE, QoSProfile(depth=1), publishes=True),),
        {topic: Heard(10, 10.0, image, 0), '/cam/camera_info': Heard(10, 10.0, info, 0)}, (), 0)
    assert [level for level, _ in bad(check_graph(graph))] == [Level.WARNING] * warned


def test_a_camera_alone_that_is_silent_is_a_problem(tmp_path):
    with cameras(tmp_path, cam={'rate': 0.0}):
        (level, what), = bad(check_graph(listen(1.5)))
    assert (level, 'but no image came in 1.5 s' in what) == (Level.PROBLEM, True)


def test_nobody_publishes():
    (level, what), = bad(check_graph(listen(0.5)))
    assert (level, what) == (Level.WARNING, 'no camera: nobody publishes images (heard for 0.5 s)')


def test_a_running_node_is_asked(tiny_weights):
    with Harness(tiny_weights, listen=('depth/image',), backend='torch').start() as h:
        assert h.works(STEP)
        graph = listen_to_nodes()
        node, = graph.depth_nodes
        assert (node.name, node.rectified, node.simulated_time) == (
            f'{h.namespace}/mdepth', True, False)
        # Its own depth and confidence are images, but no cameras.
        assert graph.camera_topics() == [f'{h.namespace}/image', f'{h.namespace}/image/compressed']
        text = '\n'.join(it.what for it in check_graph(graph))
        assert f'{h.namespace}/mdepth says: ' in text
        assert f'{h.namespace}/image/compressed: ' in text
        assert text.count('no mdepth node takes it') == 1

        h.other.destroy_publisher(h.infos)
        assert wait_for(lambda: not h.other.count_publishers(f'{h.namespace}/camera_info'))
        waiting = [it for it in check_graph(listen_to_nodes())
                   if 'which nobody publishes' in it.what]
        assert [it.what for it in waiting] == [
            f'{h.namespace}/mdepth waits on {h.namespace}/camera_info '
            '(sensor_msgs/msg/CameraInfo), which nobody publishes']


def test_a_node_that_is_not_configured_is_found(tiny_weights):
    with Harness(tiny_weights, listen=(), backend='torch') as h:
        graph = listen_to_nodes(state='unconfigured')
        assert graph.depth_nodes == (
            DepthNodeSeen(f'{h.namespace}/mdepth', None, False, 'unconfigured', True, False),)
        found = [it for it in check_graph(graph) if it.level is not Level.OK
                 and 'mdepth' in it.what]
        assert [it.what for it in found] == [f'{h.namespace}/mdepth is not configured']
        assert f'ros2 lifecycle set {h.namespace}/mdepth configure' in found[0].advice
    # Services alike, but no such parameters: another's node.
    context = rclpy.Context()
    rclpy.init(context=context)
    other = LifecycleNode('other', context=context)
    other.create_service(Trigger, '~/reset', lambda request, response: response)
    other.create_service(SetBool, '~/enable', lambda request, response: response)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(other)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    try:
        assert listen(SECONDS).depth_nodes == ()
        executor.shutdown()
        thread.join()
        # One that does not answer may be ours, at work on its configuration.
        node, = listen(SECONDS).depth_nodes
        assert (node.name, node.state, node.rectified) == ('/other', None, None)
        assert 'says nothing on /diagnostics' in '\n'.join(
            it.what for it in check_graph(Graph(1.0, (), {}, (node,), 0)))
    finally:
        executor.shutdown()
        thread.join()
        other.destroy_node()
        rclpy.shutdown(context=context)


def test_simulated_time(tiny_weights):
    with Harness(tiny_weights, listen=(), backend='torch', use_sim_time=True).start() as follows:
        assert clock_findings(listen_to_nodes()) == [
            (Level.PROBLEM, f'{follows.namespace}/mdepth has use_sim_time: true, but /clock '
             'stands still')]
        clock = follows.other.create_publisher(Clock, '/clock', 10)
        follows.other.create_timer(0.1, lambda: clock.publish(Clock()))
        assert clock_findings(listen_to_nodes()) == []
        with Harness(tiny_weights, listen=(), backend='torch').start() as does_not:
            assert clock_findings(listen_to_nodes(2)) == [
                (Level.WARNING, f'/clock runs, but {does_not.namespace}/mdepth has use_sim_time: '
                 'false')]


def clock_findings(graph):
    """Return what is not ok about time."""
    return [(level, what) for level, what in bad(check_graph(graph)) if 'clock' in what]


def test_the_segment_is_measured(monkeypatch):
    """With the profile a process gets 64 MB, without it Fast DDS' half a megabyte."""
    if not shared_memory_suffices():
        pytest.skip('too little shared memory')
    for variable in profile_variables(os.environ):
        monkeypatch.delenv(variable, raising=False)
    # Processes with large segments, whose discovery it hears, do not count.
    context = Context()
    with monkeypatch.context() as patch:
        for variable in profile_variables(os.environ):
            patch.setenv(variable, str(profile_path()))
        rclpy.init(context=context)
        other = rclpy.create_node('other', context=context)
    plain = check_installation()
    other.destroy_node()
    rclpy.shutdown(context=context)
    assert plain.works
    assert 'a segment of 0.5 MB per process: images above 512 KB get lost' in bad(
        plain.findings)[0][1]
    for variable in profile_variables(os.environ):
        monkeypatch.setenv(variable, str(profile_path()))
    assert bad(check_installation().findings) == []


def test_ros_that_does_not_start_is_a_problem(monkeypatch):
    """Where another middleware is asked for, rcl ends its process: not ours."""
    monkeypatch.setenv('RMW_IMPLEMENTATION', 'rmw_of_nobody')
    installation = check_installation()
    assert not installation.works
    (level, what), = bad(installation.findings)
    assert level is Level.PROBLEM
    assert 'rmw_of_nobody' in what


def test_other_middleware_has_other_profiles():
    assert bad(check_transport('rmw_cyclonedds_cpp', 0)) == []
    assert bad(check_transport('rmw_fastrtps_cpp', LEAST_SEGMENT - 1)) != []
