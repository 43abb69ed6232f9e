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

"""The lidar in the image: pixels worked out by hand, and the projection as KITTI defines it."""

from kitti_tree import make_date
from mdepth_ros.training.datasets.kitti.calibration import read_calibration, read_camera
from mdepth_ros.training.datasets.kitti.lidar import camera_depth, eigen_depth, read_scan
from mdepth_ros.training.datasets.sequence import DataError
import numpy as np
import pytest


@pytest.fixture
def calibration(tmp_path):
    return read_calibration(make_date(tmp_path), 'image_02')


def seen_at(u, v, z):
    """Return the lidar's point that image_02 sees at (u, v) in a depth of z, see kitti_tree."""
    return [z + 0.25, 0.1 - (u - 20) / 20 * z, -(v - 10) / 20 * z]


def pixels(image):
    """{(x, y): depth} of the pixels that have one."""
    return {(int(x), int(y)): float(image[y, x]) for y, x in np.argwhere(np.isfinite(image))}


def test_the_camera_of_the_files(calibration):
    camera = calibration.camera
    assert (camera.width, camera.height) == (40, 20)
    np.testing.assert_array_equal(camera.K, [[20, 0, 20], [0, 20, 10], [0, 0, 1]])
    assert not camera.has_distortion
    point = calibration.T_camera_velodyne @ [10.25, 0.1, 0.5, 1.0]
    np.testing.assert_allclose(point, [0.0, -0.5, 10.0, 1.0], atol=1e-12)


def test_the_right_camera_is_half_a_metre_to_the_right(tmp_path, calibration):
    right = read_calibration(tmp_path / '2011_09_26', 'image_03')
    between = right.T_camera_velodyne - calibration.T_camera_velodyne
    np.testing.assert_allclose(between[:, 3], [-0.5, 0, 0, 0], atol=1e-12)


def test_hand_worked_pixels(calibration):
    points = np.array([[10.25, 0.1, 0.0], seen_at(25.4, 12.6, 4.0)], np.float32)
    # The classical truth: a pixel to the upper left, and the lidar's distance.
    assert pixels(eigen_depth(points, calibration)) == {(19, 9): 10.25, (24, 12): 4.25}
    assert pixels(camera_depth(points, calibration)) == {(20, 10): 10.0, (25, 13): 4.0}


def test_the_nearest_point_wins_in_any_order(calibration):
    points = np.array([seen_at(20, 10, z) for z in (8, 4, 16)], np.float32)
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        assert pixels(camera_depth(points[order], calibration)) == {(20, 10): 4.0}
        assert pixels(eigen_depth(points[order], calibration)) == {(19, 9): 4.25}


@pytest.mark.parametrize(('u', 'v', 'eigen', 'camera'), [
    (0.6, 0.6, (0, 0), (1, 1)),
    (0.4, 5.0, None, (0, 5)),
    (5.0, 0.4, None, (5, 0)),
    (-0.4, -0.4, None, (0, 0)),
    (-0.6, 5.0, None, None),
    (39.4, 19.4, (38, 18), (39, 19)),
    (40.4, 20.4, (39, 19), None),
    (40.6, 5.0, None, None),
    (5.0, 20.6, None, None),
])
def test_the_image_ends(u, v, eigen, camera, calibration):
    points = np.array([seen_at(u, v, 8.0)], np.float32)
    assert list(pixels(eigen_depth(points, calibration))) == ([eigen] if eigen else [])
    assert list(pixels(camera_depth(points, calibration))) == ([camera] if camera else [])


def test_points_behind_are_not_mirrored_into_the_image(calibration):
    # The second is ahead of the lidar, but behind the camera.
    points = np.array([[-5.0, 0.1, 0.0], [0.2, 0.1, 0.0]], np.float32)
    assert pixels(eigen_depth(points, calibration)) == {}
    assert pixels(camera_depth(points, calibration)) == {}


def test_the_classical_truth_leaves_out_what_is_behind_the_lidar(tmp_path):
    folder = make_date(tmp_path)
    path = folder / 'calib_velo_to_cam.txt'
    path.write_text(path.read_text().replace('-0.25', '0.75'))  # a camera behind the lidar
    points = np.array([[-0.25, 0.1, 0.0]], np.float32)
    calibration = read_calibration(folder, 'image_02')
    assert pixels(eigen_depth(points, calibration)) == {}
    assert pixels(camera_depth(points, calibration)) == {(20, 10): 0.5}


def test_projection_as_kitti_defines_it(tmp_path):
    """Pixel = P_rect_02 R_rect_00 (R | T) point, with numbers like the real ones."""
    folder = make_date(tmp_path)
    rng = np.random.default_rng(3)

    def rotation(scale):
        q, _ = np.linalg.qr(np.eye(3) + scale * rng.normal(size=(3, 3)))
        return q * np.sign(np.diag(q))

    P = np.array([[721.5377, 0, 609.5593, 44.85728], [0, 721.5377, 172.854, 0.2163791],
                  [0, 0, 1, 0.002745884]])
    R_rect = rotation(0.01)
    R = rotation(0.01) @ [[0, -1, 0], [0, 0, -1], [1, 0, 0]]
    T = np.array([-0.0041, -0.0763, -0.2718])

    def line(key, values):
        return f'{key}: {" ".join(map(repr, np.ravel(values).tolist()))}\n'

    (folder / 'calib_cam_to_cam.txt').write_text(
        line('S_rect_02', [1242.0, 375.0]) + line('R_rect_00', R_rect) + line('P_rect_02', P))
    (folder / 'calib_velo_to_cam.txt').write_text(line('R', R) + line('T', T))
    calibration = read_calibration(folder, 'image_02')
    points = rng.uniform([5, -3, -1.5], [40, 3, 0.5], (200, 3)).astype(np.float32)
    depth = camera_depth(points, calibration)
    expected = np.full((375, 1242), np.inf)
    for point in points.astype(float):
        u, v, w = P @ np.append(R_rect @ (R @ point + T), 1.0)
        x, y = round(u / w), round(v / w)
        if 0 <= x < 1242 and 0 <= y < 375:
            expected[y, x] = min(expected[y, x], w)
    assert np.isfinite(expected).sum() > 100
    np.testing.assert_allclose(depth, np.where(np.isinf(expected), np.nan, expected), rtol=1e-5)


def test_scan_files(tmp_path):
    path = tmp_path / '0.bin'
    points = np.array([[1, 2, 3, 0.5], [4, 5, 6, 0.25]], '<f4')
    path.write_bytes(points.tobytes())
    np.testing.assert_array_equal(read_scan(path), points[:, :3])
    for size in (0, 15, 31):
        path.write_bytes(points.tobytes()[:size])
        with pytest.raises(DataError, match=rf'0\.bin must hold points .* got {size} bytes'):
            read_scan(path)
    with pytest.raises(DataError, match=r'1\.bin is not readable'):
        read_scan(tmp_path / '1.bin')


@pytest.mark.parametrize(('file', 'old', 'new', 'message'), [
    ('calib_cam_to_cam.txt', 'P_rect_02', 'P_rect_07', 'has no line P_rect_02'),
    ('calib_cam_to_cam.txt', '20 0 20 2 0', '20 0 20 2', 'P_rect_02 must have 12 finite numbers'),
    ('calib_cam_to_cam.txt', '20 0 20 2 0', '0 0 20 2 0', 'image_02: camera: K must have fx > 0'),
    ('calib_cam_to_cam.txt', 'R_rect_00', 'R_01', 'has no line R_rect_00'),
    ('calib_velo_to_cam.txt', '-0.25', 'x', 'T: could not convert'),
    ('calib_velo_to_cam.txt', '-0.25', 'nan', 'T must have 3 finite numbers'),
])
def test_a_calibration_error_names_file_and_key(file, old, new, message, tmp_path):
    path = make_date(tmp_path) / file
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(DataError) as error:
        read_calibration(path.parent, 'image_02')
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)


def test_training_does_without_the_lidar(tmp_path):
    folder = make_date(tmp_path)
    (folder / 'calib_velo_to_cam.txt').unlink()
    assert read_camera(folder, 'image_03').width == 40
    with pytest.raises(DataError, match=r'calib_velo_to_cam\.txt is not readable'):
        read_calibration(folder, 'image_03')
