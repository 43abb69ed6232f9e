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

"""Whatever comes, the log says once what came and what was expected, and the next frame works."""

import cv2
from harness import Harness, noise_image, STEP, wait_for
from mdepth_ros.engine.camera import Camera
from mdepth_ros.ros.camera_info import rectified_info
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image

REPEATS = 8


@pytest.fixture(scope='module')
def node(tiny_weights):
    with Harness(tiny_weights, listen=('depth/image',), camera_info__timeout=0.05).start() as h:
        yield h


@pytest.fixture
def now():
    """Return a stamp that is later than all before, in steps of a gap."""
    now.seconds = getattr(now, 'seconds', 0) + 100
    return now.seconds * 10**9


def image(**changes):
    message = noise_image(128, 96, 1)
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def send_and_expect(h, now, text, make, **arguments):
    """Send the same bad thing again and again; one line may say it, with its facts."""
    h.works(now - STEP)
    h.forget()
    for i in range(REPEATS):
        before = int(h.status()[1]['images_rejected']) if i == REPEATS - 1 else None
        h.send(now + i * STEP, make(), **arguments)
        wait_for(lambda: False, 0.07)
    assert wait_for(lambda: int(h.status()[1]['images_rejected']) > before, 5), h.logs()
    assert len(h.logs(text)) == 1, (text, h.logs())
    status, _ = h.status()
    assert status.level == b'\x02'
    assert text in status.message
    assert h.works(now + REPEATS * STEP)


@pytest.mark.parametrize(('changes', 'text'), [
    ({'encoding': 'rgb9'}, "encoding 'rgb9' is not supported, supported are rgb8"),
    ({'step': 383}, 'rgb8 image of 128 x 96: step must be at least 384 bytes, got 383'),
    ({'data': bytes(99)}, 'data must hold step x height = 384 x 96 = 36864 bytes, got 99'),
    ({'width': 0}, 'width and height must be > 0'),
], ids=['encoding', 'step', 'data', 'size'])
def test_bad_images(node, now, changes, text):
    send_and_expect(node, now, text, lambda: image(**changes))


@pytest.mark.parametrize(('k', 'text'), [
    (np.zeros(9), 'not calibrated (K is all zeros)'),
    (np.full(9, np.nan), 'K must be finite, got [[nan'),
], ids=['zero', 'nan'])
def test_bad_K_from_the_start(tiny_weights, k, text):
    with Harness(tiny_weights, listen=('depth/image',), camera_info__timeout=0.05).start() as h:
        info = rectified_info(h.camera(), Image().header)
        info.k = k
        for i in range(1, REPEATS):
            h.send(i * STEP, info=info)
            wait_for(lambda: False, 0.07)
        assert wait_for(lambda: h.logs(text))
        assert len(h.logs(text)) == 1, h.logs()
        assert h.works(REPEATS * STEP)


def test_K_that_turns_bad_is_not_used_and_the_old_one_neither(node, now):
    assert node.works(now)
    info = rectified_info(node.camera(), Image().header)
    info.k = np.zeros(9)
    send_and_expect(node, now + STEP, 'not calibrated (K is all zeros)', image, info=info)


def test_camera_info_of_another_size(node, now):
    small = rectified_info(node.camera(64, 48), Image().header)
    send_and_expect(node, now, 'the image is 128 x 96, but the CameraInfo on ', image, info=small)


def test_camera_info_that_never_comes(tiny_weights):
    with Harness(tiny_weights, listen=('depth/image',), camera_info__timeout=0.05).start() as h:
        for i in range(1, REPEATS):
            h.send(i * STEP, info=False)
            wait_for(lambda: False, 0.07)
        assert wait_for(lambda: h.logs('images come, but no usable CameraInfo on /robot'))
        assert len(h.logs('images come')) == 1
        assert h.status()[0].level == b'\x02'
        assert h.works(REPEATS * STEP)


def test_big_endian(node, now):
    depth16 = np.arange(96 * 128, dtype='>u2').reshape(96, 128)
    node.send(now, Image(width=128, height=96, encoding='mono16', step=256, is_bigendian=1,
                         data=depth16.tobytes()))
    assert node.depth_of(now) is not None


def test_image_size_changing_mid_stream(node, now):
    for i, (width, height) in enumerate([(128, 96), (64, 128), (128, 96), (320, 96)]):
        node.send(now + i * STEP, camera=node.camera(width, height))
        assert node.depth_of(now + i * STEP) is not None, (width, height)
        status = node.status()[1]
        assert status['mode'] == 'single'
        assert status['reason'] == ('the camera changed' if i else status['reason'])
    node.send(now + 4 * STEP, camera=node.camera(320, 96))
    assert node.depth_of(now + 4 * STEP) is not None
    assert node.status()[1]['mode'] == 'multi'


def test_stamps_that_go_back_repeat_or_pause(node, now):
    def mode(stamp):
        assert node.works(stamp)
        values = node.status()[1]
        return values['mode'], values['reason']

    mode(now)
    assert mode(now + STEP) == ('multi', '')
    assert mode(now - 2 * STEP) == ('single', 'time went back by 0.300 s')
    assert mode(now - STEP) == ('multi', '')
    assert mode(now + 300 * STEP) == ('single', 'a gap of 30.100 s')
    assert mode(now + 301 * STEP) == ('multi', '')
    node.forget()

    def repeats():
        node.send(now + 301 * STEP)
        wait_for(lambda: False, 0.07)

    # The tests before may have logged so many kinds of errors that this one has to wait.
    assert wait_for(lambda: repeats() or node.logs('repeats: every image needs the time'))
    for _ in range(REPEATS):
        repeats()
    assert len(node.logs('repeats')) == 1
    assert not node.received['depth/image']
    assert mode(now + 302 * STEP) == ('multi', '')


@pytest.mark.parametrize('size', [(1, 1), (3840, 2160)])
def test_the_smallest_and_the_largest_image(node, now, size):
    for i in range(2):
        node.send(now + i * STEP, camera=node.camera(*size))
        depth = node.depth_of(now + i * STEP)
        assert (depth.width, depth.height) == (96, 64)


def test_raw_images_of_an_unknown_lens_need_rectifying(tiny_weights):
    K = np.array([[90.0, 0, 63.5], [0, 90, 47.5], [0, 0, 1]])
    camera = Camera(128, 96, K, [0.1] * 6, 'double_sphere', P=np.hstack([K, np.zeros((3, 1))]))
    info = rectified_info(Camera(128, 96, K, P=camera.P), Image().header)
    info.distortion_model, info.d = 'double_sphere', [0.1] * 6
    with Harness(tiny_weights, listen=('depth/image',), image_is_rectified=False).start() as h:
        h.send(STEP, info=info)
        assert wait_for(lambda: h.logs("cannot undistort: unknown distortion_model 'double_sph"))
    with Harness(tiny_weights, listen=('depth/image',)).start() as h:
        h.send(STEP, info=info)
        assert h.depth_of(STEP) is not None
        assert wait_for(lambda: h.logs('camera_info has distortion (double_sphere)'))


def test_broken_jpegs(tiny_weights):
    _, encoded = cv2.imencode('.jpg', np.random.default_rng(0).integers(
        0, 256, (96, 128, 3), np.uint8))
    encoded = encoded.tobytes()
    noise = np.random.default_rng(1)
    with Harness(tiny_weights, listen=('depth/image',), image_transport='compressed').start() as h:
        def good(stamp):
            h.send(stamp, CompressedImage(format='jpeg', data=encoded))
            return h.depth_of(stamp) is not None

        assert good(STEP)
        for i in range(2, 10):
            h.send(i * STEP, CompressedImage(format='jpeg', data=encoded[:len(encoded) // 2]))
            h.send(i * STEP, CompressedImage(format='jpeg', data=noise.bytes(200)))
            wait_for(lambda: False, 0.07)
        assert wait_for(lambda: h.logs('must be one of jpeg, png'))
        assert len(h.logs("image of format 'jpeg' is cut off")) == 1, h.logs()
        assert len(h.logs('must be one of')) == 1, h.logs()
        assert good(10 * STEP)
