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

"""The video is there as a whole, at the pace of the recording, or it is said that it is not."""

from types import SimpleNamespace

import cv2
from full_disk import no_file_above
from mdepth_ros.cli.predict.video import DepthVideo
from mdepth_ros.errors import MdepthError
import numpy as np
import pytest

FRAMES = 12


def write_video(path, fps):
    video, rng = DepthVideo(path), np.random.default_rng(0)
    for index in range(FRAMES):
        video.write(SimpleNamespace(
            rgb=rng.integers(0, 255, (96, 160, 3), np.uint8),
            rendering=SimpleNamespace(depth=np.full((96, 160), 5.0, np.float32)),
            estimate=SimpleNamespace(stamp_ns=round(index * 1e9 / fps))))
    return video.close()


@pytest.mark.parametrize('fps', [0.123, 29.97, 65.53, 65.537, 66.6667, 72.1234, 89.9966, 120.0])
def test_at_the_pace_of_any_camera(tmp_path, fps):
    assert f'{FRAMES} frames' in write_video(tmp_path / 'video.mp4', fps)
    video = cv2.VideoCapture(str(tmp_path / 'video.mp4'))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == FRAMES
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(fps, rel=1e-3)


def test_a_full_disk_is_noticed(tmp_path):
    with (no_file_above(20_000),
          pytest.raises(MdepthError, match=r'video\.mp4 is not whole \(is the disk full')):
        write_video(tmp_path / 'video.mp4', 10.0)
    assert not (tmp_path / 'video.mp4').exists()
