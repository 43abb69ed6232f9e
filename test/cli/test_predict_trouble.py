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

"""Broken images, interruptions and mistakes: what is finished is kept, the rest is said."""

from functools import partial
from importlib.util import find_spec
import itertools
import json
import os
import signal
import subprocess
import sys
import time

from bags import write_bag, write_bag2
from camera_messages import camera_info, compressed, STORES
import cv2
from mdepth_ros.cli.main import main
from mdepth_ros.cli.predict.source import FolderSource
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.camera_yaml import write_camera_yaml
from mdepth_ros.messages.bag import BagError
from mdepth_ros.messages.header import nanoseconds
from processes import heed_signals
import pytest
from wall import (
    CAMERA,
    PERIOD_NS,
    picture,
    predict,
    read_bag,
    read_ply,
    SMALL,
    START_NS,
    WIDTH,
    write_folder,
)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp('images') / 'wall', 12)


def bag_messages(store, broken):
    for index in range(6):
        stamp_ns = START_NS + index * PERIOD_NS
        yield '/cam/camera_info', stamp_ns, camera_info(store, stamp_ns, CAMERA)
        if index == broken:
            cut = compressed(store, stamp_ns, picture(index)[..., ::-1])
            cut.data = cut.data[:500]
            yield '/cam/image_rect/compressed', stamp_ns, cut
        else:
            yield '/cam/image_rect/compressed', stamp_ns, compressed(
                store, stamp_ns, picture(index)[..., ::-1])


@pytest.mark.parametrize('kind', ['ros1', 'sqlite3', 'mcap'])
def test_a_bag_with_a_broken_image(tiny_weights, tmp_path, capsys, kind):
    bag = tmp_path / ('run.bag' if kind == 'ros1' else 'run')
    write_bag(bag, kind, bag_messages(STORES['ros1' if kind == 'ros1' else 'ros2'], broken=2))
    summary = predict(bag, tmp_path / 'out', tiny_weights, '--mcap', '--output-size', 'network')
    assert summary['frames'] == 5
    refused, = summary['unusable']
    assert refused['image'] == 2
    assert "'png' is cut off" in refused['reason']
    assert "image 2 could not be used: image of format 'png' is cut off" in capsys.readouterr().out
    messages = read_bag(tmp_path / 'out/recording')
    for topic in ('/camera/image/compressed', '/depth/image', '/depth/points'):
        headers = [message.header for _, message in messages[topic]]
        assert [(nanoseconds(header.stamp) - START_NS) // PERIOD_NS for header in headers] == [
            0, 1, 3, 4, 5]
        assert {header.frame_id for header in headers} == {'camera_optical'}
    depth = messages['/depth/image'][0][1]
    picture_shown = cv2.imdecode(messages['/camera/image/compressed'][0][1].data,
                                 cv2.IMREAD_COLOR)
    assert (depth.height, depth.width) == (64, 96) == picture_shown.shape[:2]
    info = messages['/depth/camera_info'][0][1]
    assert info.k[0] == pytest.approx(CAMERA.K[0, 0] * 96 / WIDTH)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_all_files_are_whole(tiny_weights, tmp_path, number):
    images = write_folder(tmp_path / 'wall', 70)
    out = tmp_path / 'out'
    process = subprocess.Popen(
        [sys.executable, '-m', 'mdepth_ros.cli.main', 'predict', images, '--fov', '80', '--out',
         out, '--weights', tiny_weights, *SMALL, '--mcap', '--clouds', 'pcd'],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=heed_signals)
    deadline = time.monotonic() + 120
    while process.poll() is None and not (out / 'depth/000003.png').exists():
        if time.monotonic() > deadline:
            process.kill()
        time.sleep(0.01)
    process.send_signal(number)
    text, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert 'Traceback' not in errors
    summary = json.loads((out / 'summary.json').read_text())
    frames = summary['frames']
    assert not summary['complete']
    assert 4 <= frames < 70
    assert f'depth/: {frames} PNG images' in text
    depths = sorted((out / 'depth').iterdir())
    assert len(depths) == frames
    assert all(cv2.imread(str(path), cv2.IMREAD_UNCHANGED) is not None for path in depths)
    assert cv2.VideoCapture(str(out / 'video.mp4')).get(cv2.CAP_PROP_FRAME_COUNT) == frames
    assert len(read_bag(out / 'recording')['/depth/image']) == frames
    read_ply(out / 'fused.ply')  # as long as it says
    assert len(list((out / 'clouds').glob('*.pcd'))) == frames
    assert [path for path in out.rglob('*') if 'partial' in path.name] == []


class BreakingFolder(FolderSource):
    """A folder whose reading ends before its images do."""

    def __init__(self, *arguments, count, end):
        super().__init__(*arguments)
        self._readable, self._end = count, end

    def images(self):
        yield from itertools.islice(super().images(), self._readable)
        self._end()
        yield from super().images()


def broken_source():
    raise BagError('run.bag is broken')


@pytest.mark.parametrize(('count', 'end', 'status'), [
    (0, lambda: os.kill(os.getpid(), signal.SIGTERM), 130),
    (0, broken_source, 1),
    (3, broken_source, 1),
])
def test_what_was_finished_before_the_end_is_kept(folder, tiny_weights, tmp_path, capsys,
                                                  monkeypatch, count, end, status):
    monkeypatch.setattr('mdepth_ros.cli.predict.source.FolderSource',
                        partial(BreakingFolder, count=count, end=end))
    out = tmp_path / 'out'
    assert main(['predict', str(folder), '--fov', '80', '--mcap', '--out', str(out),
                 '--weights', str(tiny_weights), *SMALL]) == status
    summary = json.loads((out / 'summary.json').read_text())
    assert (summary['frames'], summary['complete']) == (count, False)
    said = capsys.readouterr()
    if count:
        assert f'in {out}: depth/: 3 PNG images' in said.out
        assert said.err.strip().endswith('mdepth: error: run.bag is broken')
        assert cv2.VideoCapture(str(out / 'video.mp4')).get(cv2.CAP_PROP_FRAME_COUNT) == 3
        assert len(read_bag(out / 'recording')['/depth/image']) == 3
    else:
        assert f'in {out}: summary.json' in said.out
        assert not (out / 'video.mp4').exists()


def test_a_folder_is_filled_anew_and_no_other(folder, tiny_weights, tmp_path, capsys):
    out = tmp_path / 'out'
    predict(folder, out, tiny_weights, '--fov', 80, '--last', 4)
    predict(folder, out, tiny_weights, '--fov', 80, '--last', 1)
    assert len(list((out / 'depth').iterdir())) == 2
    assert main(['predict', str(folder), '--fov', '80', '--out', str(folder.parent)]) == 1
    assert 'holds the source' in capsys.readouterr().err
    assert len(list(folder.iterdir())) == 12


@pytest.mark.parametrize(('arguments', 'message'), [
    (['{tmp}/none.mp4', '--fov', '60'], 'no bag, video or folder at'),
    (['{tmp}', '--fov', '60'], 'has neither frames.json nor images'),
    (['{wall}'], 'pass --fov DEG'),
    (['{wall}', '--fov', '200'], 'in (0, 180)'),
    (['{wall}', '--fov', '60', '--first', '3', '--last', '2'], '--first <= --last'),
    (['{wall}', '--fov', '60', '--first', '99'], 'has 12 images, there is none from'),
    (['{wall}', '--fov', '60', '--min-confidence', '2'], 'min_confidence must be in [0, 1]'),
    (['{wall}', '--fov', '60', '--fused-confidence', '2'], 'min_confidence must be in [0, 1]'),
    (['{wall}', '--camera-info', '{tmp}/other.yaml'], 'is for 320 x 96, the images are 160 x 96'),
    (['{wall}', '--fov', '60', '--image-topic', '/a'], '--image-topic is for bags alone'),
    (['{bag}', '--camera-info', '{tmp}/other.yaml'], 'is for 320 x 96, the images are 64 x 48'),
    (['97'], 'camera 97 gives no images'),
])
def test_known_errors_are_one_line(folder, tiny_weights, tmp_path, capfd, arguments, message):
    write_camera_yaml(Camera.from_fov(320, 96, 80.0), tmp_path / 'other.yaml')
    write_bag2(tmp_path / 'bag', 2)
    words = [word.format(tmp=tmp_path, wall=folder, bag=tmp_path / 'bag') for word in arguments]
    earlier = tmp_path / 'out' / 'summary.json'
    earlier.parent.mkdir()
    (earlier.parent / '.mdepth_predict').touch()
    earlier.write_text('{}')
    assert main(['predict', *words, '--out', str(tmp_path / 'out'), '--weights',
                 str(tiny_weights), *SMALL]) == 1
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert last.startswith('mdepth: error: ')
    assert message in last
    assert earlier.read_text() == '{}'  # what an earlier run has left stays


def test_numbers_that_make_no_sense(capsys):
    with pytest.raises(SystemExit, match='2'):
        main(['predict', '.', '--max-depth', '0'])
    assert 'argument --max-depth: must be a finite number above 0' in capsys.readouterr().err


@pytest.mark.skipif(find_spec('rerun') is not None, reason='rerun is installed')
def test_without_rerun_there_is_no_view(folder, tmp_path, capsys):
    assert main(['predict', str(folder), '--fov', '60', '--view',
                 '--out', str(tmp_path / 'out')]) == 1
    assert 'pip install rerun-sdk' in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()
