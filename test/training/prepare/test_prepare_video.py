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

"""Videos, what makes a source unusable, and the command line."""

from pathlib import Path
import shutil

import cv2
from mdepth_ros.cli.main import main
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.camera_choice import CameraChoice
from mdepth_ros.engine.camera_yaml import write_camera_yaml
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.prepare.options import PrepareOptions
from mdepth_ros.training.prepare.prepare import prepare
from mdepth_ros.training.prepare.source_image import Rejected
from mdepth_ros.training.prepare.video_source import VideoSource
import numpy as np
import pytest
from recordings import CAMERA, frame, HEIGHT, picture, sequences, WIDTH, write


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp('video') / 'drive.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 20.0, (WIDTH, HEIGHT))
    for index in range(6):
        writer.write(cv2.cvtColor(picture(max(0, index - 2)), cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def test_a_video_with_an_angle_of_view(video, tmp_path):
    report = prepare([video], tmp_path / 'out', PrepareOptions(fov_deg=90.0), progress=False)
    index, = sequences(tmp_path / 'out')
    assert index.K[0, 0] == pytest.approx(WIDTH / 2)
    assert [entry.stamp_ns for entry in index.frames] == [0, 150_000_000, 200_000_000, 250_000_000]
    assert report.sources[0].rejected == {'static': 2}
    read = cv2.imread(str(tmp_path / 'out' / 'drive' / '000' / 'image' / '000003.jpg'))
    right, wrong = (np.abs(read[..., ::-1].astype(int) - picture(place)).mean()
                    for place in (3, 2))
    assert right < 0.5 * wrong


def test_a_time_of_day_in_a_name_is_no_protocol(video, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = Path('2024-05-01T12:30:00.mp4')
    shutil.copy(video, name)
    assert prepare([name], Path('out'), PrepareOptions(fov_deg=90.0), progress=False).sources


def test_a_video_with_a_camera_file(video, tmp_path):
    camera = Camera(WIDTH, HEIGHT, CAMERA.K, [-0.2, 0.0, 0.0, 0.0, 0.0], 'plumb_bob')
    write_camera_yaml(camera, tmp_path / 'camera.yaml')
    options = PrepareOptions(camera_info=tmp_path / 'camera.yaml')
    prepare([video], tmp_path / 'out', options, progress=False)
    index, = sequences(tmp_path / 'out')
    assert np.array_equal(index.K, CAMERA.K)
    # Another file of the same name is another argument.
    write_camera_yaml(CAMERA, tmp_path / 'camera.yaml')
    with pytest.raises(MdepthError, match='was prepared with camera_info_sha256'):
        prepare([video], tmp_path / 'out', options, progress=False)


def test_two_sources_of_one_name(video, tmp_path):
    other = tmp_path / 'drive.avi'
    other.write_bytes(video.read_bytes())
    prepare([video, other], tmp_path / 'out', PrepareOptions(fov_deg=90.0), progress=False)
    folders = sorted(path.name for path in (tmp_path / 'out').iterdir() if path.is_dir())
    assert folders == ['drive', 'drive-2']


def test_a_video_that_was_cut_off_is_no_whole_one(tmp_path):
    path = tmp_path / 'long.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 20.0, (WIDTH, HEIGHT))
    for index in range(30):
        writer.write(cv2.cvtColor(picture(index % 6), cv2.COLOR_RGB2BGR))
    writer.release()
    whole = list(VideoSource(path, CameraChoice(fov_deg=90.0)).images())
    assert len(whole) == 30
    assert not any(isinstance(image, Rejected) for image in whole)
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    *images, told = VideoSource(path, CameraChoice(fov_deg=90.0)).images()
    assert 0 < len(images) < 20
    assert str(told) == ('broken image: the video says that it has 30 images, of which '
                         f'{len(images)} can be read')


def test_what_is_wrong_with_options_is_said_at_once():
    with pytest.raises(MdepthError) as error:
        PrepareOptions(width=10, max_gap_s=0.0, every=0, fov_deg=180.0)
    for name in ('width', 'max_gap_s', 'every', 'fov_deg'):
        assert name in str(error.value)


@pytest.mark.parametrize(('words', 'message'), [
    (['{tmp}/none.mcap'], 'no bag or video at'),
    (['{tmp}/text.mp4'], 'is neither a bag nor a video'),
    (['{tmp}/text.mcap'], 'is not a readable bag'),
    (['{video}'], 'pass --fov DEG'),
    (['{video}', '{video}', '--fov', '90'], 'is given twice'),
    (['{video}', '--camera-info', '{tmp}/none.yaml'], 'cannot read the camera file'),
    (['{video}', '--camera-info', '{tmp}/small.yaml'], 'is for 64 x 48, the images are'),
    (['{bag}'], 'has no CameraInfo for /cam/image'),
    (['{bag}', '--image-topic', '/x'], "has no topic '/x', only: /cam/image"),
    (['{bag}', '--depth-topic', '/x', '--fov', '90'], "has no topic '/x'"),
])
def test_known_errors_are_one_line(video, tmp_path, capsys, words, message):
    for name in ('text.mp4', 'text.mcap'):
        (tmp_path / name).write_text('text')
    write_camera_yaml(Camera.from_fov(64, 48, 80.0), tmp_path / 'small.yaml')
    bag = write(tmp_path, [frame(i, info=False)[0] for i in range(3)])
    words = [word.format(tmp=tmp_path, video=video, bag=bag) for word in words]
    assert main(['prepare', *words, '--out', str(tmp_path / 'out')]) == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith('mdepth: error: ')
    assert message in error
    assert '\n' not in error
    # Nothing is left in the way of a second try.
    assert not (tmp_path / 'out').exists()


def test_the_command_reports(tmp_path, capsys):
    bag = write(tmp_path, [m for i in range(3) for m in frame(i)])
    out = tmp_path / 'out'
    assert main(['prepare', str(bag), '--out', str(out), '--width', '80', '--png']) == 0
    printed = capsys.readouterr()
    assert printed.out == 'run: 3 of 3 images in 1 sequences (0 with depth, 0 with odometry)\n'
    assert 'run:' in printed.err
    assert '/3 [' in printed.err  # with the time left
    assert sequences(out)[0].width == 80
