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

"""Recordings through the whole command; what it leaves behind, read back independently."""

import subprocess
import sys

from bags import write_bag
from camera_messages import camera_info, image, STORES
import cv2
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.camera_yaml import read_camera_yaml
from mdepth_ros.engine.rendering import color_picture
from mdepth_ros.messages.header import nanoseconds
import numpy as np
import pytest
from wall import (
    CAMERA,
    HEIGHT,
    PERIOD_NS,
    picture,
    predict,
    read_bag,
    read_ply,
    shown,
    SMALL,
    START_NS,
    WIDTH,
    write_folder,
)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp('images') / 'wall', 12)


@pytest.fixture(scope='module')
def everything(folder, tiny_weights, tmp_path_factory):
    """All outputs of frames 1, 3, 5, 7, 9 of the folder, in PNG; and the summary."""
    out = tmp_path_factory.mktemp('predict') / 'out'
    summary = predict(folder, out, tiny_weights, '--fov', 80, '--first', 1, '--last', 10,
                      '--every', 2, '--mcap', 'raw', '--clouds', 'ply', '--min-confidence', 0,
                      '--fused-confidence', 0, '--fused-cell', 0.5, '--fused-range', 80)
    return out, summary


NUMBERS = [1, 3, 5, 7, 9]


def test_the_summary_counts(everything):
    _, summary = everything
    assert summary['frames'] == summary['matched'] + sum(summary['single'].values()) == 5
    assert summary['single']['first frame'] == 1
    assert (summary['unusable'], summary['complete'], summary['size']) == ([], True, '96x64')
    assert (summary['first_stamp_ns'], summary['last_stamp_ns']) == (100_000_000, 900_000_000)
    assert summary['depth_ms'] > 0
    assert summary['path_length_m'] > 0


def test_depth_is_the_same_as_png_and_as_npz(everything, folder, tiny_weights, tmp_path):
    out, _ = everything
    predict(folder, tmp_path / 'npz', tiny_weights, '--fov', 80, '--first', 1, '--last', 10,
            '--every', 2, '--format', 'npz', '--no-video', '--no-fused')
    assert sorted(path.name for path in (tmp_path / 'npz').iterdir()) == [
        '.mdepth_predict', 'depth', 'summary.json']
    assert sorted(path.name for path in (out / 'depth').iterdir()) == [
        f'{number:06}.png' for number in NUMBERS]
    for number in NUMBERS:
        stored = cv2.imread(str(out / 'depth' / f'{number:06}.png'), cv2.IMREAD_UNCHANGED)
        exact = np.load(tmp_path / 'npz/depth' / f'{number:06}.npz')
        assert (stored.dtype, stored.shape) == (np.uint16, (HEIGHT, WIDTH))
        assert exact['depth'].dtype == exact['confidence'].dtype == np.float32
        known = np.isfinite(exact['depth']) & (exact['depth'] < 65.5)
        assert known.any()
        np.testing.assert_allclose(stored[known] * 0.001, exact['depth'][known], atol=0.00051)
        assert not stored[~np.isfinite(exact['depth'])].any()
        assert exact['stamp_ns'] == number * PERIOD_NS
        np.testing.assert_allclose(exact['K'], CAMERA.K, rtol=1e-6)
    assert read_camera_yaml(out / 'camera.yaml').width == WIDTH


def test_the_video_has_all_frames_at_their_pace(everything):
    out, _ = everything
    video = cv2.VideoCapture(str(out / 'video.mp4'))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(5.0)  # every second one of 10 Hz
    depths = [cv2.imread(str(out / 'depth' / f'{number:06}.png'), cv2.IMREAD_UNCHANGED)
              * np.float32(0.001) for number in NUMBERS]
    near, far = np.percentile(depths, [1, 97])
    for number, depth in zip(NUMBERS, depths):
        ok, frame = video.read()
        assert ok
        assert frame.shape == (HEIGHT, 2 * WIDTH, 3)
        assert shown(frame[:, :WIDTH, ::-1]) == number
        expected = color_picture(depth, near, max(far, 1.2 * near))
        assert np.abs(frame[:, WIDTH:].astype(int) - expected).mean() < 8  # the codec's
    assert not video.read()[0]


def test_clouds_project_onto_the_depth(everything):
    out, _ = everything
    for number in NUMBERS:
        points, rgb = read_ply(out / 'clouds' / f'{number:06}.ply')
        assert len(points) > 100
        assert len(np.unique(rgb, axis=0)) > 100
        u, v, w = CAMERA.K @ points.T
        depth = cv2.imread(str(out / 'depth' / f'{number:06}.png'), cv2.IMREAD_UNCHANGED)
        seen = depth[np.rint(v / w).astype(int), np.rint(u / w).astype(int)] * 0.001
        near = (points[:, 2] < 65) & (seen > 0)
        assert np.median(np.abs(seen[near] / points[near, 2] - 1)) < 0.05


def test_the_bag_holds_what_viewers_need(everything):
    out, _ = everything
    messages = read_bag(out / 'recording')
    topics = {'/tf', '/odometry', '/camera/camera_info', '/camera/image', '/depth/camera_info',
              '/depth/image', '/depth/points'}
    assert set(messages) == topics
    for topic in topics:
        assert [received_ns for received_ns, _ in messages[topic]] == [
            number * PERIOD_NS for number in NUMBERS]
    for place, number in enumerate(NUMBERS):
        of_frame = {topic: messages[topic][place][1] for topic in topics}
        transform, = of_frame['/tf'].transforms
        assert transform.child_frame_id == 'camera_optical_frame'
        assert transform.header == of_frame['/odometry'].header
        for topic in topics - {'/tf', '/odometry'}:
            header = of_frame[topic].header
            assert nanoseconds(header.stamp) == number * PERIOD_NS
            assert header.frame_id == transform.child_frame_id
        colours = of_frame['/camera/image'].data.reshape(HEIGHT, WIDTH, 3)
        np.testing.assert_array_equal(colours, picture(number))
        depth = of_frame['/depth/image'].data.view('<f4').reshape(HEIGHT, WIDTH)
        stored = cv2.imread(str(out / 'depth' / f'{number:06}.png'), cv2.IMREAD_UNCHANGED)
        known = stored > 0
        np.testing.assert_allclose(depth[known], stored[known] * 0.001, atol=0.00051)
        cloud = of_frame['/depth/points']
        points, _ = read_ply(out / 'clouds' / f'{number:06}.ply')
        np.testing.assert_array_equal(
            cloud.data.reshape(-1, 16)[:, :12].copy().view('<f4'), points)


def test_the_fused_cloud_is_the_clouds_along_the_path(everything):
    out, _ = everything
    fused, _ = read_ply(out / 'fused.ply')
    assert len(fused) > 0
    poses = [message.pose.pose for _, message in read_bag(out / 'recording')['/odometry']]
    body_optical = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    cells = set()
    for number, pose in zip(NUMBERS, poses):
        q = pose.orientation
        x, y, z, w = q.x, q.y, q.z, q.w
        R = np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                      [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                      [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]])
        t = [pose.position.x, pose.position.y, pose.position.z]
        points, _ = read_ply(out / 'clouds' / f'{number:06}.ply')
        in_first = (points.astype(np.float64) @ R.T + t) @ body_optical
        cells |= set(map(tuple, np.floor(in_first / 0.5).astype(int).tolist()))
    of_fused = set(map(tuple, np.floor(fused.astype(np.float64) / 0.5).astype(int).tolist()))
    # A mean may be rounded across the edge of its cell.
    assert len(of_fused - cells) < 0.01 * len(of_fused)


def test_where_the_grid_ends_only_the_fused_cloud_does(folder, tiny_weights, tmp_path, capsys):
    out = tmp_path / 'out'
    summary = predict(folder, out, tiny_weights, '--fov', 80, '--last', 2, '--no-video',
                      '--fused-confidence', 0, '--fused-range', 80, '--fused-cell', 1e-7)
    assert (summary['frames'], summary['complete']) == (3, True)
    assert len(list((out / 'depth').iterdir())) == 3
    assert not (out / 'fused.ply').exists()
    assert 'no fused.ply: a grid of 1e-07 m ends 0.1 m from where' in capsys.readouterr().out


def test_a_video(tiny_weights, tmp_path):
    source = tmp_path / 'wall.avi'
    video = cv2.VideoWriter(str(source), cv2.VideoWriter_fourcc(*'MJPG'), 10.0, (WIDTH, HEIGHT))
    for number in range(4):
        video.write(picture(number)[..., ::-1])
    video.release()
    summary = predict(source, tmp_path / 'out', tiny_weights, '--fov', 80, '--format', 'npz')
    assert (summary['frames'], summary['complete']) == (4, True)
    found = [np.load(file) for file in sorted((tmp_path / 'out/depth').iterdir())]
    assert [int(one['stamp_ns']) for one in found] == [n * PERIOD_NS for n in range(4)]
    np.testing.assert_allclose(found[0]['K'], CAMERA.K, rtol=1e-6)
    assert cv2.VideoCapture(str(tmp_path / 'out/video.mp4')).get(cv2.CAP_PROP_FPS) == 10.0


def test_a_raw_image_is_undistorted_with_its_depth(tiny_weights, tmp_path):
    bent = Camera(WIDTH, HEIGHT, CAMERA.K, np.array([-0.3, 0.1, 0, 0, 0]), 'plumb_bob', np.eye(3),
                  np.hstack([CAMERA.K, np.zeros((3, 1))]))
    store = STORES['ros2']
    write_bag(tmp_path / 'run', 'mcap', [
        ('/cam/camera_info', START_NS, camera_info(store, START_NS, bent)),
        ('/cam/image_raw', START_NS, image(store, START_NS, picture(0)))])
    images = {}
    for more in ((), ('--rectified',), ('--output-size', 'network')):
        predict(tmp_path / 'run', tmp_path / 'out', tiny_weights, '--mcap', 'raw', *more)
        message = read_bag(tmp_path / 'out/recording')['/camera/image'][0][1]
        images[more] = message.data.reshape(message.height, message.width, 3).astype(int)
    expected = cv2.undistort(picture(0), bent.K, bent.distortion).astype(int)
    inner = np.s_[10:-10, 10:-10]
    assert np.abs(images[()] - expected)[inner].mean() < 2
    assert np.abs(picture(0) - expected)[inner].mean() > 10
    np.testing.assert_array_equal(images[('--rectified',)], picture(0))
    # At the network's size it is what the networks saw.
    small = [cv2.resize(rgb.astype(np.uint8), (96, 64), interpolation=cv2.INTER_AREA).astype(int)
             for rgb in (expected, picture(0))]
    error, uncorrected = (np.abs(images['--output-size', 'network'] - rgb)[6:-6, 6:-6].mean()
                          for rgb in small)
    assert error < 0.5 * uncorrected


def test_it_needs_no_ros(folder, tiny_weights, tmp_path):
    absent = ['rclpy', 'std_msgs', 'sensor_msgs', 'nav_msgs', 'geometry_msgs']
    code = (f'import sys; sys.modules.update(dict.fromkeys({absent}));'
            'from mdepth_ros.cli.main import main; sys.exit(main(sys.argv[1:]))')
    subprocess.run([sys.executable, '-c', code, 'predict', folder, '--fov', '80', '--last', '1',
                    '--mcap', '--out', tmp_path / 'out', '--weights', tiny_weights, *SMALL],
                   check=True, timeout=120)
