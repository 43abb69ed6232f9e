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

"""What is written of a bag: pixels, camera, stamps, odometry, depth."""

import json
import math

import cv2
from mdepth_ros.engine.camera import Camera
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.prepare.options import PrepareOptions
from mdepth_ros.training.prepare.prepare import prepare
import numpy as np
import pytest
from recordings import (
    CAMERA,
    compressed_frame,
    depth_at,
    frame,
    HEIGHT,
    odometry_at,
    PERIOD_NS,
    picture,
    rgb_of,
    sequences,
    stamp_of,
    WIDTH,
    write,
)


def luma_difference(first, second):
    return np.abs(np.subtract(*[cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(int)
                                for rgb in (first, second)])).mean()


def run(bag, out, **options):
    return prepare([bag], out, PrepareOptions(png=True, **options), progress=False)


@pytest.mark.parametrize('kind', ['ros1', 'sqlite3', 'mcap'])
def test_every_kind_of_bag(tmp_path, kind):
    bag = write(tmp_path, [m for i in range(4) for m in frame(i, kind=kind)], kind)
    report = run(bag, tmp_path / 'out')
    source, = report.sources
    assert (source.images, source.frames, source.sequences, source.rejected) == (4, 4, 1, {})
    folder = tmp_path / 'out' / 'run' / '000'
    index, = sequences(tmp_path / 'out')
    assert (index.width, index.height, index.depth_unit_m) == (WIDTH, HEIGHT, 0.001)
    assert np.array_equal(index.K, CAMERA.K)
    assert [entry.stamp_ns for entry in index.frames] == [stamp_of(i) for i in range(4)]
    for i, entry in enumerate(index.frames):
        assert entry.image == f'image/{i:06}.png'
        assert (entry.depth, entry.T_odom_base) == (None, None)
        assert np.array_equal(rgb_of(folder, entry), picture(i))
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == ['prepare.json', 'run']
    content = json.loads((tmp_path / 'out' / 'prepare.json').read_text())
    assert content['sources'][0]['frames'] == 4


@pytest.mark.parametrize(('extension', 'worst'), [('.png', 0), ('.jpg', 3)])
@pytest.mark.parametrize('kind', ['ros1', 'mcap'])
def test_compressed_images(tmp_path, kind, extension, worst):
    bag = write(tmp_path, [m for i in range(3) for m in compressed_frame(i, extension, kind)],
                kind)
    run(bag, tmp_path / 'out')
    index, = sequences(tmp_path / 'out')
    for i, entry in enumerate(index.frames):
        rgb = rgb_of(tmp_path / 'out' / 'run' / '000', entry)
        assert luma_difference(rgb, picture(i)) <= worst


def test_jpeg_is_the_default_and_close(tmp_path):
    bag = write(tmp_path, [m for i in range(3) for m in frame(i)])
    prepare([bag], tmp_path / 'out', PrepareOptions(), progress=False)
    index, = sequences(tmp_path / 'out')
    assert index.frames[1].image == 'image/000001.jpg'
    rgb = rgb_of(tmp_path / 'out' / 'run' / '000', index.frames[1])
    assert 0 < luma_difference(rgb, picture(1)) < 2 < luma_difference(rgb, picture(2))


def test_width_shrinks_and_never_enlarges(tmp_path):
    bag = write(tmp_path, [m for i in range(3) for m in frame(i)])
    for width, expected in ((80, (80, 48)), (640, (160, 96)), (0, (160, 96))):
        run(bag, tmp_path / str(width), width=width)
        index, = sequences(tmp_path / str(width))
        assert (index.width, index.height) == expected
        # The same rays: (c + 0.5) / f does not change.
        s = expected[0] / WIDTH
        np.testing.assert_allclose(index.K[0], [s * CAMERA.K[0, 0], 0,
                                                (CAMERA.K[0, 2] + 0.5) * s - 0.5])
    small = rgb_of(tmp_path / '80' / 'run' / '000', sequences(tmp_path / '80')[0].frames[0])
    area = picture(0).reshape(48, 2, 80, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - area).max() <= 1


def distorted(camera, ideal, interpolation):
    """Return what a raw camera sees where a pinhole with its K sees ``ideal``."""
    v, u = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    pixels = np.stack([u.ravel(), v.ravel()], axis=1)[:, None]
    undistort = (cv2.fisheye.undistortPoints if camera.distortion_model == 'equidistant'
                 else cv2.undistortPoints)
    x, y = undistort(pixels, camera.K, camera.distortion, P=camera.K)[:, 0].T.astype(np.float32)
    return cv2.remap(ideal, x.reshape(HEIGHT, WIDTH), y.reshape(HEIGHT, WIDTH), interpolation)


@pytest.mark.parametrize(('model', 'coefficients'), [
    ('plumb_bob', [-0.25, 0.05, 0.001, -0.002, 0.0]),
    ('equidistant', [0.05, -0.02, 0.01, 0.0])])
def test_images_and_their_depth_are_undistorted(tmp_path, model, coefficients):
    camera = Camera(WIDTH, HEIGHT, CAMERA.K, coefficients, model)
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    truth = (1000 + 10 * u + 7 * v).astype(np.uint16)
    raw = [distorted(camera, picture(i), cv2.INTER_CUBIC) for i in range(3)]
    messages = [m for i in range(3) for m in frame(i, camera=camera, rgb=raw[i])]
    messages += [depth_at(i, stamp_of(i), distorted(camera, truth, cv2.INTER_NEAREST))
                 for i in range(3)]
    bag = write(tmp_path, messages)
    inner = (slice(20, -20), slice(30, -30))
    run(bag, tmp_path / 'out')
    index, = sequences(tmp_path / 'out')
    folder = tmp_path / 'out' / 'run' / '000'
    assert np.array_equal(index.K, CAMERA.K)
    difference = rgb_of(folder, index.frames[1]).astype(int) - picture(1)
    assert np.abs(difference[inner]).mean() < 4
    depth = cv2.imread(str(folder / index.frames[1].depth), cv2.IMREAD_UNCHANGED)
    assert np.abs(depth[inner].astype(int) - truth[inner]).max() <= 17  # a pixel
    # Told that they are rectified, or by the name of their topic, they stay as they are.
    run(bag, tmp_path / 'as_is', rectified=True)
    index, = sequences(tmp_path / 'as_is')
    assert np.array_equal(rgb_of(tmp_path / 'as_is' / 'run' / '000', index.frames[1]), raw[1])
    renamed = [(topic.replace('cam/image', 'cam/image_rect'), *rest)
               for topic, *rest in messages]
    run(write(tmp_path, renamed, name='rect'), tmp_path / 'by_name')
    index, = sequences(tmp_path / 'by_name')
    assert np.array_equal(rgb_of(tmp_path / 'by_name' / 'rect' / '000', index.frames[1]), raw[1])


def test_images_without_distortion_are_brought_to_another_projection(tmp_path):
    """With P twice as wide as K the picture shrinks to its middle; a turn alone shifts it."""
    K, wide = CAMERA.K, CAMERA.K * [[0.5], [0.5], [1]]
    wide[:2, 2] = K[:2, 2]
    turn, _ = cv2.Rodrigues(np.array([0.0, 0.1, 0.0]))
    for name, R, new_K in (('wide', np.eye(3), wide), ('turned', turn, K)):
        camera = Camera(WIDTH, HEIGHT, K, R=R, P=np.hstack([new_K, np.zeros((3, 1))]))
        bag = write(tmp_path, [m for i in range(3) for m in frame(i, camera=camera)], name=name)
        out = tmp_path / f'{name} out'
        run(bag, out)
        index, = sequences(out)
        assert np.array_equal(index.K, new_K)
        homography = new_K @ R @ np.linalg.inv(K)
        expected = cv2.warpPerspective(picture(1), homography, (WIDTH, HEIGHT))
        difference = rgb_of(out / name / '000', index.frames[1]).astype(int) - expected
        assert np.abs(difference[30:-30, 50:-50]).mean() < 4


@pytest.mark.parametrize('kind', ['ros1', 'mcap'])
def test_odometry_is_interpolated_to_the_images_time(tmp_path, kind):
    messages = [m for i in range(5) for m in frame(i, kind=kind)]
    # At 0.5, 1.5, 2.5 periods, each received 0.3 periods later: 1 m and 20 degrees a period.
    for place in (0.5, 1.5, 2.5):
        half = math.radians(20 * place) / 2
        messages.append(odometry_at(
            place + 0.3, int(stamp_of(0) + place * PERIOD_NS), (place, 2.0, 0.0),
            (0.0, 0.0, math.sin(half), math.cos(half)), kind))
    run(write(tmp_path, messages, kind), tmp_path / 'out')
    index, = sequences(tmp_path / 'out')
    poses = [entry.T_odom_base for entry in index.frames]
    assert [pose is None for pose in poses] == [True, False, False, True, True]
    for i in (1, 2):
        angle = math.radians(20 * i)
        expected = [[math.cos(angle), -math.sin(angle), 0, i],
                    [math.sin(angle), math.cos(angle), 0, 2], [0, 0, 1, 0], [0, 0, 0, 1]]
        np.testing.assert_allclose(poses[i], expected, atol=1e-9)


def test_depth_of_the_nearest_time(tmp_path):
    messages = [m for i in range(4) for m in frame(i)]
    small = np.arange(1, 1 + 48 * 80, dtype=np.uint16).reshape(48, 80)
    small[0, :3] = 0
    # 0: received later than its image; 1: two of them; 2: too far off; 3: none.
    messages += [depth_at(2.5, stamp_of(0) + PERIOD_NS // 3, small),
                 depth_at(1, stamp_of(1) - PERIOD_NS // 4, small + 1),
                 depth_at(1, stamp_of(1) + PERIOD_NS // 10, small + 2),
                 depth_at(3, stamp_of(3) + PERIOD_NS * 6 // 10, small + 3)]
    report = run(write(tmp_path, messages), tmp_path / 'out')
    index, = sequences(tmp_path / 'out')
    folder = tmp_path / 'out' / 'run' / '000'
    assert [entry.depth for entry in index.frames] == [
        'depth/000000.png', 'depth/000001.png', None, None]
    assert report.sources[0].with_depth == 2
    doubled = small.repeat(2, axis=0).repeat(2, axis=1)
    for i, expected in ((0, doubled), (1, doubled + 2)):
        stored = cv2.imread(str(folder / index.frames[i].depth), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(stored, expected)


def test_depth_of_another_camera_is_not_taken_for_truth(tmp_path, caplog):
    depth = np.full((HEIGHT, WIDTH), 2.5, np.float32)
    messages = [m for i in range(3) for m in frame(i)]
    messages += [depth_at(i, stamp_of(i), depth, '32FC1', frame_id='depth_optical')
                 for i in range(3)]
    bag = write(tmp_path, messages)
    assert run(bag, tmp_path / 'found').sources[0].with_depth == 0
    said, = caplog.messages
    assert said.startswith('/depth/image is in the frame depth_optical and the images in camera_o')
    assert run(bag, tmp_path / 'named', depth_topic='/depth/image').sources[0].with_depth == 3


def test_metres_become_millimetres_and_what_is_none_zero(tmp_path):
    depth = np.full((HEIGHT, WIDTH), 2.5, np.float32)
    depth[0, :5] = [np.nan, np.inf, 0.0, 65.5349, 70.0]
    messages = [m for i in range(3) for m in frame(i)]
    messages += [depth_at(i, stamp_of(i), depth, '32FC1') for i in range(3)]
    run(write(tmp_path, messages), tmp_path / 'out')
    stored = cv2.imread(str(tmp_path / 'out' / 'run' / '000' / 'depth' / '000001.png'),
                        cv2.IMREAD_UNCHANGED)
    assert stored[0, :6].tolist() == [0, 0, 0, 65535, 0, 2500]


def test_a_given_camera_replaces_the_bags(tmp_path):
    bag = write(tmp_path, [frame(i, info=False)[0] for i in range(3)])
    run(bag, tmp_path / 'out', fov_deg=90.0)
    index, = sequences(tmp_path / 'out')
    assert index.K[0, 0] == pytest.approx(80.0)


def test_the_first_whole_image_says_the_size_for_an_angle_of_view(tmp_path):
    """As the camera that ``compressed_frame`` has, whose images may be cut off."""
    messages = [compressed_frame(i, '.png')[1] for i in range(4)]
    messages[0][2].data = messages[0][2].data[:300]
    report = run(write(tmp_path, messages), tmp_path / 'out', fov_deg=90.0)
    assert report.sources[0].rejected == {'broken image': 1}
    index, = sequences(tmp_path / 'out')
    assert (index.width, len(index.frames)) == (WIDTH, 3)
    bag = write(tmp_path, messages[:1], name='broken')
    with pytest.raises(MdepthError, match='broken has no whole image on /cam/image/compressed'):
        run(bag, tmp_path / 'none', fov_deg=90.0)
