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

"""What is played of a folder of images: its own times and camera where it says them."""

import json

import cv2
from mdepth_ros.cli.played.source import images_source, START_NS, video_source
from mdepth_ros.engine.camera_choice import CameraChoice
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.prepare.video_source import VideoSource
import numpy as np
import pytest

K = [[50.0, 0.0, 31.5], [0.0, 50.0, 23.5], [0.0, 0.0, 1.0]]
STAMPS_NS = [1_600_000_000_000_000_000 + offset for offset in (0, 30_000_000, 130_000_000)]


def folder_of(path, stamps_ns=None, **rest):
    """Three images of 64 x 48 and their frames.json."""
    frames = [{'image': f'{n}.png'} for n in range(3)]
    for n, frame in enumerate(frames):
        cv2.imwrite(str(path / frame['image']), np.full((48, 64, 3), n, np.uint8))
        if stamps_ns:
            frame['stamp_ns'] = stamps_ns[n]
    (path / 'frames.json').write_text(json.dumps(
        {'width': 64, 'height': 48, 'K': K, 'frames': frames, **rest}))
    return path


@pytest.mark.parametrize(('stamps_ns', 'rest', 'expected'), [
    (STAMPS_NS, {'fps': 4.0}, STAMPS_NS),
    ([0, 1, 5], {}, [0, 1, 5]),
    (None, {'fps': 4.0}, [START_NS + n * 250_000_000 for n in range(3)]),
    (None, {}, [START_NS + round(n * 1e9 / 30) for n in range(3)])])
def test_times_are_those_of_frames_json(tmp_path, stamps_ns, rest, expected):
    source = images_source(folder_of(tmp_path, stamps_ns, **rest), CameraChoice(), 3, fps=10.0)
    assert [frame.stamp_ns for frame in source.frames] == expected


def test_the_camera_is_that_of_frames_json_unless_another_is_given(tmp_path):
    folder = folder_of(tmp_path)
    assert images_source(folder, CameraChoice(), 3, 10.0).camera.K.tolist() == K
    given = images_source(folder, CameraChoice(fov_deg=90.0), 3, 10.0).camera
    assert given.K[0, 0] == pytest.approx(32.0)


def test_a_video_without_a_length(tmp_path):
    video = cv2.VideoWriter(str(tmp_path / 'a.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 10.0,
                            (64, 48))
    for n in range(3):
        video.write(np.full((48, 64, 3), n, np.uint8))
    video.release()
    raw = (tmp_path / 'a.avi').read_bytes()
    # The bare images one after the other, of which nobody has counted how many there are.
    starts = [at for at in range(len(raw)) if raw[at:at + 3] == b'\xff\xd8\xff']
    (tmp_path / 'a.mjpeg').write_bytes(b''.join(
        raw[at:raw.index(b'\xff\xd9', at) + 2] for at in starts))
    source = video_source(tmp_path / 'a.mjpeg', CameraChoice(fov_deg=80.0), 5)
    assert (source.name, source.count) == ('a.mjpeg (5 of 5 frames)', 5)
    assert len(list(source.frames)) == 3
    assert VideoSource(tmp_path / 'a.mjpeg', CameraChoice(fov_deg=80.0)).count == 0


@pytest.mark.parametrize('stamps_ns', [[-5, 1, 2], [0, 1, 2**31 * 10**9]])
def test_stamps_that_ros_cannot_say_are_refused_before_anything_is_written(tmp_path, stamps_ns):
    folder = folder_of(tmp_path, stamps_ns)
    with pytest.raises(MdepthError, match=r'the stamp must be in \[0, 2\*\*31\) s'):
        images_source(folder, CameraChoice(), 3, 10.0)
    # Those that are not played do not matter.
    assert images_source(folder_of(tmp_path, [0, 1, 2**62]), CameraChoice(), 2, 10.0).count == 2
