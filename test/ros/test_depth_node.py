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

"""What the node publishes: everything that is asked for, in the conventions of the REPs."""

from dataclasses import replace

import cv2
from harness import FRAME, Harness, STEP, wait_for, wall_image
from mdepth_ros.config import lite_config
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.estimator import NOTHING_MATCHES
from mdepth_ros.messages.camera_info import camera_from_info
from mdepth_ros.networks.checkpoint import save_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.ros.camera_info import rectified_info
from mdepth_ros.ros.parameters import NodeParameters
from mdepth_ros.ros.publishers import TOPICS
from nav_msgs.msg import Odometry
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image
import torch


def values_of(message):
    kind = {'32FC1': np.float32, '16UC1': np.uint16}[message.encoding]
    return np.frombuffer(message.data, kind).reshape(message.height, message.width)


def points_of(cloud):
    return np.frombuffer(cloud.data, np.float32).reshape(cloud.height, cloud.width, 4)[..., :3]


@pytest.fixture(scope='module')
def node(tiny_weights):
    with Harness(tiny_weights).start() as h:
        assert h.set(clearing__enabled=True)[0]
        yield h


def test_every_topic_carries_the_stamp_and_frame_of_its_image(node):
    for i in range(1, 4):
        stamp = 1_700_000_000 * 10**9 + i * STEP + 123_456_789
        node.send(stamp, frame_id='cam_optical')
        for topic in TOPICS:
            if topic.startswith('depth/points_') and i > 1:
                continue  # these have a rate of their own
            message = node.depth_of(stamp, topic)
            assert message is not None, topic
            assert message.header.frame_id == (
                'mdepth_odom' if topic == 'odometry' else 'cam_optical'), topic
        assert message.child_frame_id == 'cam_optical'
    assert node.status()[1]['mode'] == 'multi'


def test_another_camera_starts_afresh(node):
    base = 49 * 10**11
    for i in range(1, 4):
        node.send(base + i * STEP, frame_id='front_optical')
        path = node.depth_of(base + i * STEP, 'odometry')
    assert node.status()[1]['mode'] == 'multi'
    assert path.pose.pose.position.z != 0.0
    node.send(base + 4 * STEP, frame_id='rear_optical')
    path = node.depth_of(base + 4 * STEP, 'odometry')
    assert path.child_frame_id == 'rear_optical'
    assert path.pose.pose.position.z == path.pose.pose.position.x == 0.0
    assert "the camera is another one, 'rear_optical'" in node.status()[1]['reason']


@pytest.mark.parametrize('size', ['network', 'input'])
def test_outputs_agree_with_each_other_and_with_camera_info(node, size):
    stamp = (50 if size == 'network' else 51) * 10**11
    K = np.array([[100.0, 0, 60.0], [0, 110.0, 50.0], [0, 0, 1]])
    P = np.hstack([[[90.0, 0, 61.0], [0, 95.0, 49.0], [0, 0, 1]], [[-9.0], [0], [0]]])
    camera = Camera(128, 96, K, P=P)
    assert node.set(depth__size=size, depth__max=1000.0, depth__min=0.0)[0]
    info = rectified_info(camera, Image().header)
    info.k = K.ravel()
    # Without exact stamps an image may be taken with the camera before it, if of the same size.
    node.infos.publish(info)
    wait_for(lambda: False, 0.2)
    node.send(stamp, info=info)
    depth = values_of(node.depth_of(stamp))
    received = node.depth_of(stamp, 'depth/camera_info')
    expected = (96, 128) if size == 'input' else (64, 96)
    assert depth.shape == expected == (received.height, received.width)
    sx, sy = expected[1] / 128, expected[0] / 96
    # f' = s f and c' = (c + 0.5) s - 0.5, of P because the image is rectified.
    np.testing.assert_allclose(np.reshape(received.p, (3, 4)), [
        [90 * sx, 0, 61.5 * sx - 0.5, -9 * sx], [0, 95 * sy, 49.5 * sy - 0.5, 0], [0, 0, 1, 0]])
    assert np.array_equal(np.reshape(received.p, (3, 4))[:, :3].ravel(), received.k)
    assert not any(received.d)

    points = points_of(node.depth_of(stamp, 'depth/points'))
    fx, cx, fy, cy = received.k[0], received.k[2], received.k[4], received.k[5]
    v, u = np.mgrid[:expected[0], :expected[1]]
    np.testing.assert_allclose(points[..., 2], depth, rtol=1e-5)
    np.testing.assert_allclose(points[..., 0] / points[..., 2] * fx + cx, u, atol=1e-2)
    np.testing.assert_allclose(points[..., 1] / points[..., 2] * fy + cy, v, atol=1e-2)

    confidence = values_of(node.depth_of(stamp, 'depth/confidence'))
    assert confidence.shape == expected
    assert ((confidence >= 0) & (confidence <= 1)).all()
    color = node.depth_of(stamp, 'depth/color')
    assert (color.height, color.width, color.encoding) == (*expected, 'bgr8')
    filtered = node.depth_of(stamp, 'depth/points_filtered')
    assert filtered.height == 1
    assert filtered.is_dense
    assert np.isfinite(points_of(filtered)).all()
    clearing = node.depth_of(stamp, 'depth/points_clearing')
    ends = np.frombuffer(clearing.data, np.float32).reshape(-1, 3)
    assert len(ends) == clearing.width > 0
    assert np.linalg.norm(ends, axis=1).max() <= 10.0 + 1e-4
    assert node.set(depth__size='network', depth__max=80.0, depth__min=0.1)[0]


def test_values_out_of_range_are_infinities_in_metres_and_zero_in_millimetres(node):
    # The camera is another one than before, and its CameraInfo may come after the first image.
    assert node.works(59 * 10**11)
    node.send(60 * 10**11)
    plain = values_of(node.depth_of(60 * 10**11))
    low, high = (float(q) for q in np.quantile(plain, [0.3, 0.7]))
    assert node.set(depth__min=low, depth__max=high)[0]
    node.send(61 * 10**11, wall_image(128, 96, 60 * 10**11))  # the same picture
    marked = values_of(node.depth_of(61 * 10**11))
    assert (np.isneginf(marked) == (plain < low)).mean() > 0.999
    assert (np.isposinf(marked) == (plain > high)).mean() > 0.999
    inside = np.isfinite(marked)
    np.testing.assert_allclose(marked[inside], plain[inside], rtol=1e-5)
    points = points_of(node.depth_of(61 * 10**11, 'depth/points'))
    assert (np.isnan(points).all(axis=2) == ~inside).all()

    assert node.set(depth__encoding='16UC1')[0]
    node.send(62 * 10**11, wall_image(128, 96, 60 * 10**11))
    message = node.depth_of(62 * 10**11)
    assert (message.encoding, message.step) == ('16UC1', 2 * 96)
    millimetres = values_of(message)
    assert ((millimetres == 0) == ~inside).all()
    assert np.abs(millimetres[inside] - 1000 * marked[inside]).max() <= 0.51
    assert node.set(depth__encoding='32FC1', depth__min=0.1, depth__max=80.0)[0]


def test_the_clearing_cloud_is_for_those_who_ask_for_it(node):
    assert node.set(clearing__enabled=False, filtered__rate=0.0)[0]
    node.forget()
    node.send(65 * 10**11)
    assert node.depth_of(65 * 10**11, 'depth/points_filtered') is not None
    assert not node.received['depth/points_clearing']
    assert node.set(clearing__enabled=True)[0]
    node.send(65 * 10**11 + STEP)
    assert node.depth_of(65 * 10**11 + STEP, 'depth/points_clearing') is not None
    assert len(node.received['depth/points_clearing']) == 1
    assert node.set(filtered__rate=10.0)[0]


def test_a_raised_rate_of_the_clouds_counts_at_once(node):
    assert node.set(filtered__rate=0.0)[0]
    assert node.set(filtered__rate=0.01)[0]
    node.forget()
    for i in range(2):
        node.send(67 * 10**11 + i * STEP)
        assert node.depth_of(67 * 10**11 + i * STEP) is not None
    assert len(node.received['depth/points_filtered']) <= 1
    assert node.set(filtered__rate=10.0)[0]
    node.forget()
    for i in range(2, 60):
        assert node.works(67 * 10**11 + i * STEP)
        if wait_for(lambda: node.received['depth/points_filtered'], 0.1):
            break
    assert node.received['depth/points_filtered']


def test_a_frame_id_that_does_not_say_optical_is_warned_of_once(node):
    node.forget()
    for i in range(3):
        node.send(70 * 10**11 + i * STEP, frame_id='camera_link')
        assert node.depth_of(70 * 10**11 + i * STEP) is not None
    assert wait_for(lambda: node.logs("frame_id 'camera_link' does not say 'optical'"))
    assert len(node.logs('optical')) == 1


def test_nothing_is_computed_for_nobody_but_the_buffer_stays_warm(tiny_weights):
    with Harness(tiny_weights, listen=()).start() as h:
        for i in range(1, 4):
            h.send(i * STEP)
            wait_for(lambda: False, 0.1)
        values = h.status()[1]
        assert (values['mode'], values['reason']) == ('waiting', 'nobody subscribes')
        assert values['frames_published'] == '0'
        assert int(values['frames_unheard']) >= 2
        assert 'single_ms' not in values
        h.listen('odometry', Odometry)
        h.listen('depth/image', Image)
        assert wait_for(lambda: h.node._outputs.wanted(NodeParameters()))
        wait_for(lambda: False, 0.2)
        assert h.works(4 * STEP)
        assert h.status()[1]['mode'] == 'multi'
        position = h.depth_of(4 * STEP, 'odometry').pose.pose.position
        assert (position.x, position.y, position.z) == (0, 0, 0)  # the path begins here


def test_only_what_is_subscribed_is_published(tiny_weights, monkeypatch):
    from mdepth_ros.engine.rendering import Rendering

    made = []
    for name in ('points', 'navigation_points', 'color', 'confidence'):
        monkeypatch.setattr(Rendering, name, property(lambda self, name=name: made.append(name)))
    with Harness(tiny_weights, listen=('depth/image', 'depth/camera_info')).start() as h:
        assert h.works(STEP)
        assert h.depth_of(STEP, 'depth/camera_info') is not None
    assert not made


@pytest.mark.parametrize('extension', ['.jpg', '.png'])
def test_compressed_images_give_the_depth_of_the_raw_ones(tiny_weights, node, extension):
    smooth = cv2.resize(np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8), (128, 96))
    raw = Image(width=128, height=96, encoding='bgr8', step=384, data=smooth.tobytes())
    for stamp_ns in (81 * 10**11, 80 * 10**11):  # time goes back: nothing is left from before
        node.send(stamp_ns, raw)
        expected = values_of(node.depth_of(stamp_ns))
    _, data = cv2.imencode(extension, smooth)
    message = CompressedImage(
        format='bgr8; ' + {'.jpg': 'jpeg compressed bgr8', '.png': 'png compressed '}[extension],
        data=data.tobytes())
    if extension == '.png':
        message.format = 'png'
    with Harness(tiny_weights, listen=('depth/image',), image_transport='compressed').start() as h:
        h.send(STEP, message)
        depth = h.depth_of(STEP)
        assert depth.header.frame_id == FRAME
        tolerance = 1e-5 if extension == '.png' else 0.2
        np.testing.assert_allclose(values_of(depth), expected, rtol=tolerance)


def test_raw_images_are_undistorted_and_what_was_not_seen_is_invalid(tiny_weights):
    K = np.array([[90.0, 0, 63.5], [0, 90, 47.5], [0, 0, 1]])
    info = rectified_info(Camera(128, 96, K), Image().header)
    # A pincushion whose corners would need pixels outside the image.
    info.d = [0.4, 0.0, 0.0, 0.0, 0.0]
    with Harness(tiny_weights, image_is_rectified=False).start() as h:
        h.send(STEP, info=info)
        depth = values_of(h.depth_of(STEP))
        assert np.isnan(depth[0, 0])
        assert np.isfinite(depth[32, 48])
        assert not any(h.depth_of(STEP, 'depth/camera_info').d)
        assert not h.logs('distortion')
    with Harness(tiny_weights, listen=('depth/image',)).start() as h:
        h.send(STEP, info=info)
        assert np.isfinite(values_of(h.depth_of(STEP))[0, 0])
        assert wait_for(lambda: h.logs('camera_info has distortion (plumb_bob), and image_is_rec'))


def test_exact_stamps_take_each_images_own_camera(tiny_weights):
    with Harness(tiny_weights, listen=('depth/camera_info',), camera_info__exact_stamp=True,
                 camera_info__timeout=0.5).start() as h:
        def focal(message):
            return camera_from_info(message).K[0, 0]

        wide, tele = Camera.from_fov(128, 96, 90.0), Camera.from_fov(128, 96, 40.0)
        header = Image().header
        header.stamp.nanosec = 2 * STEP  # the second info comes before the first image
        h.infos.publish(rectified_info(tele, header))
        wait_for(lambda: False, 0.1)
        h.send(STEP, camera=wide)
        assert focal(h.depth_of(STEP, 'depth/camera_info')) == pytest.approx(wide.K[0, 0] * 0.75)
        h.send(2 * STEP, info=False)
        second = h.depth_of(2 * STEP, 'depth/camera_info')
        assert focal(second) == pytest.approx(tele.K[0, 0] * 0.75)
        h.send(3 * STEP, info=False)
        assert wait_for(lambda: h.logs('no CameraInfo with the stamp of the image'))
        h.send(4 * STEP)
        assert h.depth_of(4 * STEP, 'depth/camera_info') is not None


def test_weights_without_multi_frame_publish_single_frame_depth_and_say_why(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / 'single.safetensors'
    save_checkpoint(DepthModel(replace(lite_config(), multi_frame=False)), path)
    with Harness(path, listen=('depth/image', 'odometry'), backend='torch').start() as h:
        for i in range(1, 4):
            assert h.works(i * STEP)
            values = h.status()[1]
            assert (values['mode'], values['reason']) == ('single', NOTHING_MATCHES)
        assert h.depth_of(3 * STEP, 'odometry') is not None
        assert len(h.logs(f'{NOTHING_MATCHES}: every depth is single-frame')) == 1
        # Not what one frame without a partner is warned of.
        assert h.logs('back to single-frame depth') == []
