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

from camera_messages import camera_info, CameraInfo, STORES
from mdepth_ros.engine.camera import Camera
from mdepth_ros.errors import BadCamera
from mdepth_ros.messages.camera_info import camera_from_info
import numpy as np
import pytest

K = [500.0, 0.0, 320.0, 0.0, 510.0, 240.0, 0.0, 0.0, 1.0]
P = [450.0, 0.0, 310.0, -45.0, 0.0, 455.0, 230.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def make_info(**changes):
    info = CameraInfo(width=640, height=480, distortion_model='plumb_bob', d=[0.1, 0, 0, 0, 0],
                      k=K, p=P, r=np.eye(3).ravel())
    info.header.frame_id = 'left_optical'
    for name, value in changes.items():
        if name.startswith('roi_'):
            setattr(info.roi, name[4:], value)
        else:
            setattr(info, name, value)
    return info


def test_plain_info():
    camera = camera_from_info(make_info())
    expected = Camera(640, 480, np.reshape(K, (3, 3)), [0.1, 0, 0, 0, 0], 'plumb_bob',
                      P=np.reshape(P, (3, 4)))
    assert camera == expected
    # The full image may be written as the region, too.
    assert camera_from_info(make_info(roi_width=640, roi_height=480, binning_x=1)) == expected


def test_ros1_spells_the_matrices_in_capitals():
    camera = Camera(640, 480, np.reshape(K, (3, 3)), [0.1, 0, 0, 0, 0], 'plumb_bob',
                    P=np.reshape(P, (3, 4)))
    info = camera_info(STORES['ros1'], 7, camera)
    assert not hasattr(info, 'k')
    assert camera_from_info(info) == camera


def test_region_by_hand():
    camera = camera_from_info(make_info(roi_x_offset=100, roi_y_offset=40, roi_width=301,
                                        roi_height=200))
    assert (camera.width, camera.height) == (301, 200)
    assert camera.K.tolist() == [[500.0, 0.0, 220.0], [0.0, 510.0, 200.0], [0.0, 0.0, 1.0]]
    assert camera.P[0].tolist() == [450.0, 0.0, 210.0, -45.0]
    assert camera.P[1].tolist() == [0.0, 455.0, 190.0, 0.0]


def test_region_and_binning_by_hand():
    camera = camera_from_info(make_info(roi_x_offset=100, roi_y_offset=40, roi_width=301,
                                        roi_height=200, binning_x=2, binning_y=4))
    assert (camera.width, camera.height) == (150, 50)
    # (220 + 0.5) / 2 - 0.5 and (200 + 0.5) / 4 - 0.5
    np.testing.assert_allclose(camera.K, [[250, 0, 109.75], [0, 127.5, 49.625], [0, 0, 1]])
    np.testing.assert_allclose(camera.P[0], [225, 0, 104.75, -22.5])


def test_a_binned_point_is_where_its_binned_pixels_are():
    # Pixels 10..11 of the full image are pixel 5 of the binned one: their centre is 10.5.
    ray = (10.5 - K[2]) / K[0]
    camera = camera_from_info(make_info(binning_x=2, binning_y=2))
    assert camera.K[0, 0] * ray + camera.K[0, 2] == pytest.approx(5.0)


def test_unset_rectification_is_the_identity():
    camera = camera_from_info(make_info(r=np.zeros(9), p=np.zeros(12)))
    assert np.array_equal(camera.R, np.eye(3))
    assert np.array_equal(camera.rectified_K(), np.reshape(K, (3, 3)))


@pytest.mark.parametrize(('changes', 'text'), [
    ({'k': np.zeros(9)}, "'left_optical': camera is not calibrated"),
    ({'k': np.full(9, np.nan)}, 'K must be finite'),
    ({'p': np.full(12, np.inf)}, 'P must be finite'),
    ({'width': 0}, 'nothing is left of 0 x 480'),
    ({'width': 0, 'height': 0}, 'nothing is left'),
    ({'binning_x': 641}, 'after binning by 641 x 1'),
    ({'roi_width': 641, 'roi_height': 10}, '641 x 10 at'),
    ({'roi_width': 600, 'roi_x_offset': 41, 'roi_height': 10}, r'at \(41, 0\)'),
    ({'roi_width': 600}, '600 x 0'),
    ({'distortion_model': 'ds', 'p': np.zeros(12)}, "unknown distortion_model 'ds'"),
    ({'d': [0.1] * 3}, 'got 3'),
])
def test_bad_info_is_named(changes, text):
    with pytest.raises(BadCamera, match=text):
        camera_from_info(make_info(**changes))


def test_an_empty_info_is_an_uncalibrated_camera():
    with pytest.raises(BadCamera, match='not calibrated'):
        camera_from_info(CameraInfo())
