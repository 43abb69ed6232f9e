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

from mdepth_ros.engine.camera import Camera, resized_camera
from mdepth_ros.messages.camera_info import camera_from_info
from mdepth_ros.ros.camera_info import raw_info, rectified_info
import numpy as np
import pytest
from std_msgs.msg import Header

K = [[500.0, 0.0, 320.0], [0.0, 510.0, 240.0], [0.0, 0.0, 1.0]]
P = [[450.0, 0.0, 310.0, -45.0], [0.0, 455.0, 230.0, 0.0], [0.0, 0.0, 1.0, 0.0]]
DISTORTED = Camera(640, 480, K, [0.1, 0, 0, 0, 0], 'plumb_bob', P=P)


def test_published_info_reads_back_as_the_same_camera():
    camera = resized_camera(DISTORTED, 416, 288)
    header = Header(frame_id='left_optical')
    header.stamp.sec, header.stamp.nanosec = 1_700_000_000, 123_456_789
    info = rectified_info(camera, header)
    assert info.header == header
    assert info.header is not header
    assert (info.width, info.height) == (416, 288)
    assert (info.distortion_model, list(info.d)) == ('plumb_bob', [0.0] * 5)
    assert np.array_equal(info.r, np.eye(3).ravel())
    assert np.array_equal(np.reshape(info.p, (3, 4))[:, :3].ravel(), info.k)
    back = camera_from_info(info)
    assert np.array_equal(back.K, camera.K)
    assert np.array_equal(back.P, camera.P)


def test_info_of_a_camera_without_P_has_P():
    info = rectified_info(Camera.from_fov(64, 48, 90.0), Header())
    assert np.array_equal(np.reshape(info.p, (3, 4))[:, :3].ravel(), info.k)
    assert info.p[0] == pytest.approx(32.0)


def test_info_of_a_distorted_camera_is_refused():
    with pytest.raises(ValueError, match='must be undistorted, got plumb_bob'):
        rectified_info(DISTORTED, Header())


@pytest.mark.parametrize(('model', 'count'), [
    ('', 0), ('plumb_bob', 0), ('plumb_bob', 5), ('rational_polynomial', 0),
    ('rational_polynomial', 8), ('equidistant', 4), ('double_sphere', 6)])
def test_raw_info_reads_back_as_the_same_camera(model, count):
    camera = Camera(640, 480, K, np.arange(1.0, count + 1) / 100, model, P=P)
    info = raw_info(camera)
    assert (info.header.frame_id, info.header.stamp.sec) == ('camera_optical_frame', 0)
    back = camera_from_info(info)
    assert back.has_distortion == camera.has_distortion
    assert np.array_equal(back.distortion, camera.distortion) or not camera.has_distortion
    assert back.distortion_model == model or not model
    for name in ('width', 'height', 'K', 'R', 'P'):
        assert np.array_equal(getattr(back, name), getattr(camera, name)), name
