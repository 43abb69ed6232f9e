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

"""The whole demo over real DDS with the real node, and how it can fail."""

from contextlib import contextmanager
import json
import os
import signal
import subprocess
import sys
import threading
import time

import cv2
from mdepth_ros.cli.main import main
from mdepth_ros.cli.played.recording import read_messages
from mdepth_ros.cli.played.session import DEPTH, Session
from mdepth_ros.ros.bag_player import PlayedFrame
from mdepth_ros.ros.camera_bag import DepthBag
import numpy as np
from processes import heed_signals, processes_with
import pytest
from wall import picture

# A small network at a slow pace: every image gets its depth, also on a busy machine.
COMMAND = [sys.executable, '-m', 'mdepth_ros.cli.main', 'demo', '--rate', '0.5',
           '--param', 'network.width:=96', '--param', 'network.height:=64']


def demo(*arguments):
    return subprocess.run([*COMMAND, *map(str, arguments)], text=True, capture_output=True,
                          timeout=120)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Twelve images of 160 x 96 with truth: a wall that comes nearer."""
    path = tmp_path_factory.mktemp('frames')
    frames = []
    for index in range(12):
        cv2.imwrite(str(path / f'{index:02}.png'), picture(index)[..., ::-1])
        depth = np.full((96, 160), 8000 - 100 * index, np.uint16)
        cv2.imwrite(str(path / f'd{index:02}.png'), depth)
        pose = np.eye(4)
        pose[2, 3] = 0.1 * index
        frames.append({'image': f'{index:02}.png', 'depth': f'd{index:02}.png',
                       'stamp_ns': index * 100_000_000, 'T_world_camera': pose.tolist()})
    content = {'width': 160, 'height': 96, 'K': [[100, 0, 79.5], [0, 100, 47.5], [0, 0, 1]],
               'depth_unit_m': 0.001, 'frames': frames}
    (path / 'frames.json').write_text(json.dumps(content))
    return path


@pytest.fixture(scope='module')
def finished(folder, tiny_weights, tmp_path_factory):
    out = tmp_path_factory.mktemp('demo') / 'out'
    return demo('--images', folder, '--rate', 0.5, '--weights', tiny_weights, '--out', out), out


def test_every_image_has_its_depth_and_every_transition_succeeds(finished):
    process, out = finished
    assert process.returncode == 0, process.stderr
    report = json.loads((out / 'report.json').read_text())
    assert (report['images_played'], report['depth_images']) == (12, 12)
    assert (report['unmatched_stamps'], report['images_replaced']) == (0, 0)
    assert [t['transition'] for t in report['transitions']] == [
        'configure', 'activate', 'deactivate', 'cleanup', 'shutdown']
    assert report['modes'] == {'single': 1, 'multi': 11}
    assert report['node_exit_status'] == 0
    assert 0 < report['latency']['depth/image']['median_ms'] < 1000
    assert report['depth_error']['frames'] == 12
    assert 0.9 < report['depth_error']['coverage'] <= 1.0
    assert 0 < report['depth_error']['abs_rel_scaled'] < 1.0
    assert 'images in / depth out' in process.stdout
    # The folder's own stamps, from 0 on as those of a prepared video.
    assert [image.stamp_ns for image in read_messages(out / 'input', '/camera/image')] == [
        index * 100_000_000 for index in range(12)]
    sensible_picture(out)


def test_recording_is_a_bag_that_plays_again(finished, tiny_weights, tmp_path):
    # A bag like any other: of its images one is chosen, odometry and CameraInfo are found.
    recorded = json.loads((finished[1] / 'report.json').read_text())['recorded']
    colour, = (topic for topic in recorded if topic.endswith('/depth/color'))
    process = demo('--bag', finished[1] / 'recording', '--image-topic', colour,
                   '--out', tmp_path / 'out', '--frames', 3, '--weights', tiny_weights)
    assert process.returncode == 0, process.stderr
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert (report['images_played'], report['depth_error']) == (3, None)


def test_a_video_to_the_end(tiny_weights, tmp_path):
    colour = (180, 60, 30)  # BGR
    video = cv2.VideoWriter(str(tmp_path / 'drive.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 10.0,
                            (160, 96))
    for index in range(8):
        frame = np.full((96, 160, 3), colour, np.uint8)
        cv2.rectangle(frame, (10 + 4 * index, 20), (60 + 4 * index, 70), (40, 200, 220), -1)
        video.write(frame)
    video.release()
    process = demo('--video', tmp_path / 'drive.avi', '--fov', 80, '--frames', 6, '--rate', 0.25,
                   '--weights', tiny_weights, '--param', 'backend:=torch',
                   '--out', tmp_path / 'out')
    assert process.returncode == 0, process.stderr
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert report['material'] == 'drive.avi (6 of 8 frames)'
    assert (report['images_played'], report['depth_images']) == (6, 6)
    assert (report['unmatched_stamps'], report['depth_error']) == (0, None)
    # Plain colours: only the corners of the square can be followed.
    assert report['modes']['single'] + report['modes']['multi'] == 6
    # The input is in the picture in its colours, one of two columns and one of two rows of it.
    picture = sensible_picture(tmp_path / 'out')
    near = np.abs(picture.astype(int) - colour).max(axis=2) < 12
    assert 0.08 < near.mean() < 0.3


def test_the_made_up_drive_to_the_end(tiny_weights, tmp_path):
    # Slowly, and by PyTorch, which compiles nothing at the first image: on a busy machine a node
    # that is in time may replace one of six images.
    process = demo('--frames', 6, '--rate', 0.25, '--weights', tiny_weights,
                   '--param', 'backend:=torch', '--out', tmp_path / 'out')
    assert process.returncode == 0, process.stderr
    assert 'rendering' in process.stderr
    assert ' 6/6 ' in process.stderr
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert (report['images_played'], report['depth_images']) == (6, 6)
    assert (report['unmatched_stamps'], report['node_exit_status']) == (0, 0)
    error = report['depth_error']
    assert error['frames'] == 6
    assert 0.5 < error['coverage'] <= 1.0
    # Random weights are wrong, not absurd.
    assert 0 < error['abs_rel_scaled'] < 5.0
    assert 0 < error['scale_median'] < 100.0
    # The drive goes on: the odometry in the bag moves by decimetres from frame to frame.
    steps = np.diff([[m.message.pose.pose.position.x, m.message.pose.pose.position.y]
                     for m in read_messages(tmp_path / 'out' / 'input', '/odom')], axis=0)
    assert (np.hypot(*steps.T) > 0.1).all()
    sensible_picture(tmp_path / 'out')


def sensible_picture(out):
    """Read a run's picture; it is large, has margins, many colours, and is not mostly empty."""
    picture = cv2.imread(str(out / 'picture.png'))
    assert picture is not None
    assert picture.shape[1] > 1000
    assert (picture[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all()
    white = (picture == 255).all(axis=2)
    assert 0.1 < white.mean() < 0.75
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 1000
    # All four quarters have something to show.
    height, width = white.shape
    for rows in (slice(0, height // 2), slice(height // 2, None)):
        for columns in (slice(0, width // 2), slice(width // 2, None)):
            assert white[rows, columns].mean() < 0.9
    return picture


@pytest.mark.parametrize(('arguments', 'message'), [
    (['--bag', '{tmp}/none'], 'no bag at'),
    (['--video', '{tmp}/none.mp4'], 'no video at'),
    (['--images', '{tmp}'], 'has neither frames.json nor images'),
    (['--images', '{plain}'], 'pass --fov DEG'),
    (['--images', '{plain}', '--fov', '200'], 'in (0, 180)'),
    (['--images', '{plain}', '--fov', '60', '--image-topic', '/a'], '--image-topic is for --bag'),
    (['--weights', '{tmp}/none.safetensors'], 'no weights file at'),
    (['--out', '{plain}'], 'is not from a demo'),
    (['--fov', '80'], '--fov is for --bag, --video and --images alone'),
])
def test_known_errors_are_one_line(folder, tmp_path, capsys, arguments, message):
    plain = tmp_path / 'plain'
    plain.mkdir()
    (plain / '0.png').write_bytes((folder / '00.png').read_bytes())
    words = [word.format(tmp=tmp_path, plain=plain) for word in arguments]
    # What an earlier run has left is still there after a mistake.
    earlier = tmp_path / 'out' / 'report.json'
    earlier.parent.mkdir()
    (earlier.parent / '.mdepth_demo').touch()
    earlier.write_text('{}')
    out = [] if '--out' in words else ['--out', tmp_path / 'out']
    assert main(['demo', *map(str, words + out)]) == 1
    assert earlier.exists()
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith('mdepth: error: ')
    assert message in last


@pytest.mark.parametrize('words', [['--rate', '0'], ['--fps', 'nan'], ['--frames', '0']])
def test_numbers_that_make_no_sense(words, capsys):
    with pytest.raises(SystemExit, match='2'):
        main(['demo', *words])
    assert f'argument {words[0]}: must be ' in capsys.readouterr().err


def test_unknown_errors_keep_their_traceback(monkeypatch, tmp_path):
    monkeypatch.setattr('mdepth_ros.cli.demo.command.synthetic_source', lambda frames: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(['demo', '--out', str(tmp_path / 'out')])


def test_a_node_that_cannot_configure_shows_its_last_words(folder, tmp_path):
    weights = tmp_path / 'text.safetensors'
    weights.write_text('no weights')
    process = demo('--images', folder, '--out', tmp_path / 'out', '--weights', weights)
    assert process.returncode == 1
    assert 'Traceback' not in process.stderr
    assert 'failed to configure' in process.stderr
    assert 'is not a whole safetensors file' in process.stderr


@pytest.mark.parametrize(('module', 'name'), [('depth_node', 'node'), ('recorder', 'recorder')])
def test_a_process_that_dies_is_noticed(folder, tiny_weights, tmp_path, module, name):
    with started(folder, tiny_weights, tmp_path) as process:
        word = tiny_weights if module == 'depth_node' else tmp_path
        killed, = processes_with(f'mdepth_ros.ros.{module}'.encode(), str(word).encode())
        os.kill(killed, signal.SIGKILL)
        rest = process.stdout.read()
        assert process.wait(20.0) == 1
    assert f'mdepth: error: the {name} ended with status -9' in rest
    assert 'Traceback' not in rest


@pytest.mark.parametrize('depths', [12, 0])
def test_a_node_that_ends_badly_fails_the_demo(folder, tmp_path, monkeypatch, capsys, depths):
    out = tmp_path / 'out'

    def session(material, *arguments, **options):
        played = [PlayedFrame(index * 100_000_000, index) for index in range(12)]
        with DepthBag(out / 'recording', DEPTH) as bag:
            for frame in played[:depths]:
                bag.write(frame.stamp_ns, np.full((96, 160), 8.0, np.float32))
        (out / 'node.log').write_text('before\nlast words\n')
        return Session(played, [], out / 'recording', {DEPTH: depths}, exit_status=-11,
                       active_s=3.0, resident_mb=500.0)

    monkeypatch.setattr('mdepth_ros.cli.demo.command.run_session', session)
    assert main(['demo', '--images', str(folder), '--out', str(out)]) == 1
    assert capsys.readouterr().err.endswith(
        f'mdepth: error: the node ended with status -11; the end of {out}/node.log:\n'
        'before\nlast words\n')
    # What there is to see is kept.
    assert json.loads((out / 'report.json').read_text())['node_exit_status'] == -11
    assert (out / 'picture.png').exists() == bool(depths)


def test_ctrl_c_ends_all_processes_and_closes_the_recording(folder, tiny_weights, tmp_path):
    from rosbags.rosbag2 import Reader

    with started(folder, tiny_weights, tmp_path) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(30.0) == 130
    with Reader(tmp_path / 'out' / 'recording') as reader:
        assert reader.message_count > 0
    assert processes_with(str(tmp_path).encode()) == []


@contextmanager
def started(folder, weights, tmp_path):
    """Start a demo, which is on its third image or so."""
    process = subprocess.Popen(
        [*COMMAND, '--images', str(folder), '--rate', '0.2', '--weights', str(weights),
         '--out', str(tmp_path / 'out')],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        preexec_fn=heed_signals)
    hung = threading.Timer(120.0, process.kill)
    hung.start()
    with process:
        playing = False
        for line in process.stdout:
            playing = playing or 'activate: ok' in line
            if playing and ' 2/12 ' in line:  # of the player's progress bar
                break
        hung.cancel()
        time.sleep(1.0)
        yield process
