"""``mdepth doctor`` on real cameras, each with one thing wrong, and on a real node."""

import json
import os
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import STEP, Harness, wait_for

from mdepth_ros.engine.doctor.finding import Level
from mdepth_ros.ros.child_process import ChildProcess
from mdepth_ros.ros.doctor.checks import check_graph
from mdepth_ros.ros.doctor.installation import LEAST_SEGMENT, check_installation, check_transport
from mdepth_ros.ros.doctor.listener import listen
from mdepth_ros.ros.transport import profile_path, profile_variables, shared_memory_suffices

SECONDS = 2.5


@contextmanager
def camera(tmp_path, **options):
    """Run a camera in a namespace of its own."""
    environment = dict(os.environ)
    environment['PYTHONPATH'] = os.pathsep.join(
        [str(Path(__file__).parent), environment.get('PYTHONPATH', '')])
    process = ChildProcess('the camera', 'doctor_camera', ['/cam', json.dumps(options)],
                           tmp_path / 'camera', environment)
    try:
        process.wait_for_line('^ready', 30.0)
        yield process
    finally:
        process.stop()


def listen_to_nodes(count=1):
    """Listen until the nodes are found: a busy computer takes its time."""
    for _ in range(5):
        graph = listen(SECONDS)
        if len(graph.depth_nodes) == count:
            return graph
    raise AssertionError(f'{count} nodes run, found {graph.depth_nodes}')


def bad(findings):
    """What is not ok."""
    return [(it.level, it.what) for it in findings if it.level is not Level.OK]


def test_a_healthy_camera_has_no_findings_but_facts(tmp_path):
    with camera(tmp_path, viewer='image') as process:
        graph = listen(SECONDS)
        findings = check_graph(graph)
        process.wait_for_line('^the viewer received', 10.0)
    assert bad(findings) == []
    text = '\n'.join(it.what for it in findings)
    assert '/cam/image: sensor_msgs/msg/Image from /cam/camera, reliable, volatile; 128x96' in text
    assert '/cam/camera_info: 128x96, 80 degrees wide' in text
    assert graph.heard['/cam/image'].rate_hz == pytest.approx(10.0, rel=0.3)
    assert {it.node for it in graph.endpoints} == {'/cam/camera', '/cam/viewer'}


def test_best_effort_does_not_reach_a_reliable_subscriber(tmp_path):
    with camera(tmp_path, viewer='image', reliability='BEST_EFFORT') as process:
        findings = check_graph(listen(SECONDS))
        assert 'the viewer received' not in process.log_text()  # so it is true
    (level, what), = bad(findings)
    assert level is Level.PROBLEM
    assert what == ('/cam/image: nothing passes from /cam/camera (best effort, volatile) to '
                    '/cam/viewer (reliable, volatile): Best effort publisher and reliable '
                    'subscription')
    advice, = (it.advice for it in findings if it.advice)
    assert 'let /cam/viewer subscribe best effort' in advice


@pytest.mark.parametrize(('options', 'level', 'words'), [
    ({'info': 'zero'}, 'problem', 'camera is not calibrated (K is all zeros)'),
    ({'info': 'small'}, 'problem', '/cam/image is 128x96, but /cam/camera_info is for 64x48'),
    ({'info': 'none'}, 'problem', '/cam/image: no CameraInfo on /cam/camera_info'),
    ({'info': 'distorted'}, 'warning', 'a node by default takes the image as rectified'),
    ({'frame': 'camera_link'}, 'warning', "frame_id 'camera_link' does not say 'optical'"),
    ({'frozen': True}, 'problem', 'repeat the stamp before'),
    ({'rate': 1.0}, 'warning', ' images at '),
    ({'every': 3}, 'problem', 'CameraInfo a second: images get lost'),
    ({'rate': 0.0}, 'problem', 'but no image came in 2.5 s'),
    ({'encoding': 'nv99'}, 'problem', "encoding 'nv99' is not supported"),
    ({'viewer': 'compressed'}, 'problem',
     '/cam/camera publishes sensor_msgs/msg/Image, /cam/viewer wants sensor_msgs/msg/Compressed'),
])
def test_what_is_wrong_with_a_camera_is_said_once(tmp_path, options, level, words):
    with camera(tmp_path, **options):
        findings = check_graph(listen(SECONDS))
    (found, what), = bad(findings)
    assert (found.value, words in what) == (level, True), what


def test_distortion_does_not_matter_on_a_rectified_topic(tmp_path):
    with camera(tmp_path, info='distorted', topic='image_rect'):
        assert bad(check_graph(listen(SECONDS))) == []


def test_nobody_publishes():
    (level, what), = bad(check_graph(listen(0.5)))
    assert (level, what) == (Level.WARNING, 'no camera: nobody publishes images (heard for 0.5 s)')


def test_a_running_node_is_asked(tiny_weights):
    with Harness(tiny_weights, listen=('depth/image',)).start() as h:
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
        waiting = [it for it in check_graph(listen_to_nodes()) if 'which nobody publishes' in it.what]
        assert [it.what for it in waiting] == [
            f'{h.namespace}/mdepth waits on {h.namespace}/camera_info '
            '(sensor_msgs/msg/CameraInfo), which nobody publishes']


@pytest.mark.parametrize(('node_follows', 'clock_runs', 'words'), [
    (True, False, 'has use_sim_time: true, but /clock stands still'),
    (False, True, 'has use_sim_time: false'), (True, True, ''), (False, False, '')])
def test_simulated_time(tiny_weights, tmp_path, node_follows, clock_runs, words):
    with Harness(tiny_weights, listen=(), use_sim_time=node_follows).start(), camera(
            tmp_path, clock=clock_runs):
        found = [what for _, what in bad(check_graph(listen_to_nodes())) if 'clock' in what]
    assert [words in what for what in found] == [True] * bool(words), found


def test_the_segment_is_measured(monkeypatch):
    """With the profile a process gets 64 MB, without it Fast DDS' half a megabyte."""
    if not shared_memory_suffices():
        pytest.skip('too little shared memory')
    for variable in profile_variables(os.environ):
        monkeypatch.delenv(variable, raising=False)
    plain = check_installation()
    assert plain.works
    assert 'a segment of 0.5 MB per process: images above 512 KB get lost' in bad(
        plain.findings)[0][1]
    for variable in profile_variables(os.environ):
        monkeypatch.setenv(variable, str(profile_path()))
    assert bad(check_installation().findings) == []


def test_ros_that_does_not_start_is_a_problem(monkeypatch):
    """rcl ends its process where another middleware is asked for: not ours."""
    monkeypatch.setenv('RMW_IMPLEMENTATION', 'rmw_of_nobody')
    installation = check_installation()
    assert not installation.works
    (level, what), = bad(installation.findings)
    assert level is Level.PROBLEM
    assert 'rmw_of_nobody' in what


def test_other_middleware_has_other_profiles():
    assert bad(check_transport('rmw_cyclonedds_cpp', 0)) == []
    assert bad(check_transport('rmw_fastrtps_cpp', LEAST_SEGMENT - 1)) != []
