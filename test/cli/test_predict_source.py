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

"""Which images are predicted, and those of a camera that is plugged in."""

from contextlib import closing
import json

import cv2
from mdepth_ros.cli.main import main
from mdepth_ros.cli.predict.run import Selection
from mdepth_ros.cli.predict.source import LiveSource, open_source
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.camera_choice import CameraChoice
from mdepth_ros.engine.camera_yaml import write_camera_yaml
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.prepare.options import PrepareOptions
import numpy as np
import pytest
from wall import write_folder


def test_a_live_camera_stamps_its_images_itself(tmp_path):
    path = tmp_path / 'feed.avi'
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10.0, (160, 96))
    for index in range(4):
        video.write(np.full((96, 160, 3), 50 * index, np.uint8))
    video.release()
    clock = iter(range(10, 100, 10))
    source = LiveSource(cv2.VideoCapture(str(path)), 'feed', CameraChoice(fov_deg=80.0),
                        lambda: next(clock))
    with closing(source):
        taken = [(frame.stamp_ns, frame.read_rgb()) for frame in source.images()]
    # The first one told the size.
    assert [stamp_ns for stamp_ns, _ in taken] == [10, 20, 30]
    assert [rgb.mean() for _, rgb in taken] == pytest.approx([50, 100, 150], abs=5)
    with pytest.raises(MdepthError, match='pass --fov DEG'):
        LiveSource(cv2.VideoCapture(str(path)), 'feed', CameraChoice())


def test_a_device_file_is_a_camera():
    with pytest.raises(MdepthError, match='/dev/null gives no images'):
        open_source('/dev/null', PrepareOptions(fov_deg=80.0), 10.0)


@pytest.mark.parametrize('source', ['drive.avi', 'run.mcap', 'frames', '0'])
def test_a_rate_that_would_not_be_used_is_refused(tmp_path, monkeypatch, capsys, source):
    monkeypatch.chdir(tmp_path)
    if source == 'frames':
        write_folder(tmp_path / source, 1)
        (tmp_path / source / 'frames.json').write_text('{}')
    assert main(['predict', source, '--fps', '5', '--fov', '80']) == 1
    assert capsys.readouterr().err == (
        'mdepth: error: --fps is for folders of images without a frames.json alone\n')


@pytest.mark.parametrize('first', [0, 3, 12])
@pytest.mark.parametrize('last', [None, 3, 9, 50])
@pytest.mark.parametrize('every', [1, 4])
def test_selections_count_what_they_take(first, last, every):
    selection = Selection(first, last, every)
    taken = list(range(first, 10 if last is None else min(10, last + 1), every))
    assert [number for number in range(10) if selection.takes(number)] == taken
    assert selection.count(10) == len(taken)


def test_of_a_live_camera_the_last_image_tells_the_count():
    assert Selection(2, 9, 2).count(None) == 4
    assert Selection(2, None, 2).count(None) is None


def test_a_distorted_camera_that_is_given_is_not_that_of_rectified_frames(tmp_path):
    folder = write_folder(tmp_path / 'frames', 1)
    K = Camera.from_fov(160, 96, 80.0).K
    (folder / 'frames.json').write_text(json.dumps(
        {'width': 160, 'height': 96, 'K': K.tolist(), 'frames': [{'image': '000.png'}]}))
    write_camera_yaml(Camera(160, 96, K, np.array([0.1, 0, 0, 0, 0]), 'plumb_bob'),
                      tmp_path / 'lens.yaml')
    for options, rectified in ((PrepareOptions(), True),
                               (PrepareOptions(camera_info=tmp_path / 'lens.yaml'), False)):
        assert open_source(str(folder), options, 10.0).rectified == rectified


def test_a_folder_may_be_called_a_number(tmp_path, monkeypatch):
    monkeypatch.chdir(write_folder(tmp_path / '0', 2).parent)
    with closing(open_source('0', PrepareOptions(fov_deg=80.0), 10.0)) as source:
        assert (source.name, source.count) == ('0', 2)


def test_stamps_that_ros_cannot_say(tiny_weights, tmp_path):
    folder, out = tmp_path / 'in', tmp_path / 'out'
    folder.mkdir()
    frames = [{'image': f'{n}.png', 'stamp_ns': stamp_ns}
              for n, stamp_ns in enumerate([-1, 0, 2**31 * 10**9 - 1, 2**31 * 10**9])]
    for frame in frames:
        cv2.imwrite(str(folder / frame['image']), np.full((96, 160, 3), 90, np.uint8))
    (folder / 'frames.json').write_text(json.dumps({
        'width': 160, 'height': 96, 'K': Camera.from_fov(160, 96, 80.0).K.tolist(),
        'frames': frames}))
    assert main(['predict', str(folder), '--out', str(out), '--weights', str(tiny_weights),
                 '--size', '96x64', '--backend', 'torch', '--mcap']) == 0
    assert json.loads((out / 'summary.json').read_text())['frames'] == 2
