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

import math

from mdepth_ros.engine.camera import Camera, resized_camera
from mdepth_ros.errors import BadCamera, MdepthError
import numpy as np
import pytest

K = np.array([[500.0, 0.0, 319.5], [0.0, 510.0, 239.5], [0.0, 0.0, 1.0]])
P = np.array([[450.0, 0.0, 310.0, -45.0], [0.0, 455.0, 230.0, 0.0], [0.0, 0.0, 1.0, 0.0]])


def test_rectified_K_is_P_where_there_is_one():
    assert (Camera(640, 480, K).rectified_K() == K).all()
    assert (Camera(640, 480, K, P=P).rectified_K() == P[:, :3]).all()


def test_from_fov_edges_are_seen_under_the_angle():
    camera = Camera.from_fov(640, 480, 90.0)
    left_edge = (-0.5 - camera.K[0, 2]) / camera.K[0, 0]
    assert left_edge == pytest.approx(-1.0, abs=1e-6)
    assert camera.horizontal_fov_deg == pytest.approx(90.0, abs=1e-4)
    assert not camera.has_distortion


@pytest.mark.parametrize('angle', [0.0, 180.0, -20.0, math.nan])
def test_from_fov_refuses_an_impossible_angle(angle):
    with pytest.raises(BadCamera, match='horizontal_fov_deg'):
        Camera.from_fov(640, 480, angle)


@pytest.mark.parametrize(('distortion', 'model', 'expected'), [
    ([], '', False), ([0.0] * 5, '', False), ([0.0] * 6, '', False),
    ([], 'plumb_bob', False), ([0.0] * 5, 'plumb_bob', False),
    ([0.1, 0, 0, 0, 0], 'plumb_bob', True), ([0.0] * 8, 'rational_polynomial', False),
    ([0.0] * 4, 'equidistant', True),  # r = f theta is no pinhole
])
def test_has_distortion(distortion, model, expected):
    assert Camera(640, 480, K, distortion, model).has_distortion is expected


def test_zeros_without_a_model_are_no_distortion():
    assert Camera(640, 480, K, [0.0] * 6) == Camera(640, 480, K)


def test_equal_cameras_share_a_cache_entry_and_others_do_not():
    first, second = Camera(640, 480, K, [0.0] * 5, 'plumb_bob', P=P), Camera(
        640, 480, K.copy(), [-0.0] * 5, 'plumb_bob', P=P.tolist())
    assert first == second
    assert len({first, second}) == 1
    assert first != Camera(640, 480, K + np.diag([1e-9, 0, 0]), [0.0] * 5, 'plumb_bob', P=P)
    assert first != 'camera'


def test_camera_does_not_follow_later_changes_of_its_arrays():
    values = K.copy()
    camera = Camera(640, 480, values)
    values[0, 0] = 1.0
    assert camera.K[0, 0] == 500.0
    with pytest.raises(ValueError, match='read-only'):
        camera.K[0, 0] = 1.0


def without(matrix, row, column, value):
    changed = matrix.copy()
    changed[row, column] = value
    return changed


@pytest.mark.parametrize(('arguments', 'text'), [
    ({'K': np.zeros((3, 3))}, 'not calibrated'),
    ({'K': without(K, 0, 0, math.nan)}, 'K must be finite'),
    ({'K': without(K, 1, 1, 0.0)}, 'fx > 0 and fy > 0, got 500 and 0'),
    ({'K': without(K, 2, 2, 0.0)}, 'last row 0 0 1'),
    ({'K': K.T}, 'upper triangular'),
    ({'K': K[:2]}, r'K must be \(3, 3\), got \(2, 3\)'),
    ({'P': P[:, :3]}, r'P must be \(3, 4\), got \(3, 3\)'),
    ({'P': without(P, 0, 3, math.inf)}, 'P must be finite'),
    ({'P': without(P, 0, 0, -1.0)}, 'P must have fx > 0'),
    ({'R': 2 * np.eye(3)}, 'R must be a rotation'),
    ({'R': np.diag([1.0, 1.0, -1.0])}, 'R must be a rotation'),
    ({'width': 0}, 'got 0 x 480'),
    ({'distortion_model': 'double_sphere'}, "unknown distortion_model 'double_sphere', known"),
    ({'distortion': [0.1] * 4}, "'' needs 0 coefficients, got 4"),
    ({'distortion': [0.1] * 3, 'distortion_model': 'plumb_bob'}, '0 or 4 or 5 or 8 or 12 or 14 c'),
    ({'distortion': [], 'distortion_model': 'equidistant'}, 'needs 4 coefficients, got 0'),
    ({'distortion': [[0.1]]}, r'distortion must be \(n\)'),
])
def test_refuses_what_no_camera_has(arguments, text):
    with pytest.raises(BadCamera, match=text):
        Camera(**{'width': 640, 'height': 480, 'K': K} | arguments)
    assert issubclass(BadCamera, MdepthError)


def test_an_unknown_distortion_model_is_fine_where_P_says_what_the_rectified_image_is():
    camera = Camera(640, 480, K, [0.0] * 6, 'double_sphere', P=P)
    assert (camera.rectified_K() == P[:, :3]).all()
    assert camera.has_distortion
    assert not camera.can_undistort
    assert not resized_camera(camera, 64, 64).has_distortion


def test_all_problems_are_named_at_once():
    with pytest.raises(BadCamera, match=r'K must.*P must.*width and height.*coefficients'):
        Camera(-1, 480, K[:2], [], 'equidistant', P=P[:2])


def test_resized_camera_by_hand():
    camera = Camera(640, 480, K, [0.1] * 5, 'plumb_bob', P=P)
    half = resized_camera(camera, 320, 120)
    # f' = s f, c' = (c + 0.5) s - 0.5, Tx' = s Tx
    expected = [[225.0, 0.0, 154.75, -22.5], [0.0, 113.75, 57.125, 0.0], [0.0, 0.0, 1.0, 0.0]]
    np.testing.assert_allclose(half.P, expected, atol=1e-12)
    assert np.array_equal(half.K, half.P[:, :3])
    assert (half.width, half.height, half.has_distortion) == (320, 120, False)
    assert np.array_equal(half.R, np.eye(3))


def test_resizing_back_and_forth_is_the_identity():
    camera = Camera(640, 480, K, P=P)
    back = resized_camera(resized_camera(camera, 123, 457), 640, 480)
    np.testing.assert_allclose(back.P, P, atol=1e-9)
