"""The whole demo over real DDS, with a stand-in for the node, and how it can fail."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

from mdepth_ros.cli.main import main

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
COMMAND = [sys.executable, '-m', 'mdepth_ros.cli.main', 'demo', '--node-module', 'standin_node']


def environment():
    paths = [str(ROOT), str(HERE), os.environ.get('PYTHONPATH', '')]
    return os.environ | {'PYTHONPATH': os.pathsep.join(paths)}


def demo(*arguments):
    return subprocess.run([*COMMAND, *map(str, arguments)], env=environment(), text=True,
                          capture_output=True, timeout=90)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Twelve images of 160 x 96 with truth: a wall that comes nearer."""
    path = tmp_path_factory.mktemp('frames')
    frames = []
    for index in range(12):
        noise = np.random.default_rng(index).integers(0, 255, (96, 160, 3), dtype=np.uint8)
        cv2.imwrite(str(path / f'{index:02}.png'), noise)
        depth = np.full((96, 160), 8000 - 100 * index, np.uint16)
        cv2.imwrite(str(path / f'd{index:02}.png'), depth)
        pose = np.eye(4)
        pose[2, 3] = 0.1 * index
        frames.append({'image': f'{index:02}.png', 'depth': f'd{index:02}.png',
                       'T_world_camera': pose.tolist()})
    content = {'width': 160, 'height': 96, 'K': [[100, 0, 79.5], [0, 100, 47.5], [0, 0, 1]],
               'depth_unit_m': 0.001, 'frames': frames}
    (path / 'frames.json').write_text(json.dumps(content))
    return path


@pytest.fixture(scope='module')
def finished(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp('demo') / 'out'
    return demo('--images', folder, '--out', out), out


def test_every_image_has_its_depth_and_every_transition_succeeds(finished):
    process, out = finished
    assert process.returncode == 0, process.stderr
    report = json.loads((out / 'report.json').read_text())
    assert (report['images_played'], report['depth_images']) == (12, 12)
    assert (report['unmatched_stamps'], report['images_replaced']) == (0, 0)
    assert [t['transition'] for t in report['transitions']] == [
        'configure', 'activate', 'deactivate', 'cleanup', 'shutdown']
    assert report['modes'] == {'single': 1, 'multi': 11}
    assert 0 < report['latency']['depth/image']['median_ms'] < 1000
    assert report['depth_error']['frames'] == 12
    assert 0.75 < report['depth_error']['coverage'] < 0.85
    assert 'images in / depth out' in process.stdout


def test_picture_is_drawn(finished):
    picture = cv2.imread(str(finished[1] / 'picture.png'))
    assert picture is not None
    assert picture.shape[1] > 1000


def test_recording_is_a_bag_that_plays_again(finished, tmp_path):
    # The demo's own input is a bag like any other: odometry and CameraInfo are found in it.
    process = demo('--bag', finished[1] / 'input', '--out', tmp_path / 'out', '--frames', 3)
    assert process.returncode == 0, process.stderr
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert (report['images_played'], report['depth_error']) == (3, None)


@pytest.mark.parametrize(('arguments', 'message'), [
    (['--bag', '{tmp}/none'], 'no bag at'),
    (['--video', '{tmp}/none.mp4'], 'no video at'),
    (['--images', '{tmp}'], 'has neither frames.json nor images'),
    (['--images', '{plain}'], 'pass --fov DEG'),
    (['--images', '{plain}', '--fov', '200'], 'in (0, 180)'),
    (['--rate', '0'], '--rate must be > 0'),
    (['--weights', '{tmp}/none.safetensors'], 'no weights file at'),
    (['--out', '{plain}'], 'is not from a demo'),
])
def test_known_errors_are_one_line(folder, tmp_path, capsys, arguments, message):
    plain = tmp_path / 'plain'
    plain.mkdir()
    (plain / '0.png').write_bytes((folder / '00.png').read_bytes())
    words = [word.format(tmp=tmp_path, plain=plain) for word in arguments]
    out = [] if '--out' in words else ['--out', tmp_path / 'out']
    assert main(['demo', *map(str, words + out)]) == 1
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith('mdepth: error: ')
    assert message in last


def test_unknown_errors_keep_their_traceback(monkeypatch, tmp_path):
    monkeypatch.setattr('mdepth_ros.cli.demo.synthetic_source', lambda frames: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(['demo', '--out', str(tmp_path / 'out')])


@pytest.mark.parametrize(('behaviour', 'messages'), [
    ('refuse', ['failed to configure', 'the weights are not there']),
    ('die', ['the node ended with status 3', 'segfault-like end']),
])
def test_a_failing_node_shows_its_last_words(folder, tmp_path, behaviour, messages):
    (tmp_path / behaviour).touch()
    process = demo('--images', folder, '--out', tmp_path / 'out',
                   '--weights', tmp_path / behaviour)
    assert process.returncode == 1
    assert 'Traceback' not in process.stderr
    for message in messages:
        assert message in process.stderr


def test_ctrl_c_ends_all_processes_and_closes_the_recording(folder, tmp_path):
    from rosbags.rosbag2 import Reader

    process = subprocess.Popen(
        [*COMMAND, '--images', str(folder), '--rate', '0.2', '--out', str(tmp_path / 'out')],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in process.stdout:
        if ' 2/12 ' in line:  # of the progress bar
            break
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    assert process.wait(20.0) == 130
    with Reader(tmp_path / 'out' / 'recording') as reader:
        assert reader.message_count > 0
    mine = [path for path in Path('/proc').glob('[0-9]*/cmdline')
            if str(tmp_path).encode() in _read(path)]
    assert mine == []


def _read(path):
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b''
