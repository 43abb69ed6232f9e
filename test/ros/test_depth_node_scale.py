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

"""Metres from odometry or from the ground: searched for, found, kept, and said."""

from dataclasses import replace

from harness import Harness, noise_image, STEP, wait_for
from mdepth_ros.config import lite_config
from mdepth_ros.engine.camera import Camera
from mdepth_ros.networks.checkpoint import save_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
from nav_msgs.msg import Odometry
import numpy as np
import pytest
from std_srvs.srv import Trigger
import torch

UNITS_PER_FRAME = 0.1
METRES_PER_FRAME = 0.14
CAMERA_HEIGHT_M = 1.4


def odometry_at(stamp, x):
    message = Odometry()
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 10**9)
    message.pose.pose.position.x = x
    return message


def drive(h, i):
    """Send frame i, always of the same picture, and odometry that comes later than the image."""
    h.send(i * STEP, noise_image(128, 96, 7))
    for half in (0, 1):
        stamp = i * STEP + half * STEP // 2
        h.odometry.publish(odometry_at(stamp, METRES_PER_FRAME * stamp / STEP))
    # A frame that is replaced would make the faked motions wrong.
    assert wait_for(lambda: h.newest_ns == i * STEP)


def start(weights, change, listen=('depth/image', 'odometry'), **parameters):
    """Start a node; ``change`` puts in what random weights cannot estimate."""
    h = Harness(weights, listen=listen, **parameters)
    h.start()
    h.newest_ns = None
    estimate = h.node._estimator.push

    def push(frame):
        changed = change(estimate(frame), h.newest_ns)
        h.newest_ns = frame.stamp_ns
        return changed

    h.node._estimator.push = push
    return h


def moving(estimate, previous_ns):
    """Move the camera ahead."""
    motion = torch.eye(4)
    motion[2, 3] = UNITS_PER_FRAME * estimate.scale
    return replace(estimate, T_previous_target=None if previous_ns is None else motion,
                   previous_stamp_ns=previous_ns)


def over_ground(estimate, previous_ns):
    """Put the camera half a network unit above flat ground."""
    height, width = estimate.depth.shape[2:]
    y = (torch.arange(height) - estimate.K[1, 2]) / estimate.K[1, 1]
    depth = (0.5 * estimate.scale / y.clamp(min=0.02)).expand(width, -1).T[None, None].contiguous()
    return replace(estimate, depth=depth, valid=torch.ones_like(depth, dtype=torch.bool))


def before_a_wall(estimate, previous_ns):
    depth = torch.full_like(estimate.depth, 2.0 * estimate.scale)
    return replace(estimate, depth=depth, valid=torch.ones_like(depth, dtype=torch.bool))


def start_odometry(weights, **parameters):
    h = start(weights, moving, scale__mode='odometry', **parameters)
    assert wait_for(h.odometry.get_subscription_count)
    return h


def start_ground(weights, change, **parameters):
    return start(weights, change, scale__mode='ground_plane',
                 scale__camera_height=CAMERA_HEIGHT_M, **parameters)


def medians(h):
    return [np.median(np.frombuffer(m.data, np.float32)) for m in h.received['depth/image']]


def test_scale_locks_and_changes_the_depth_bit_by_bit(tiny_weights):
    with start_odometry(tiny_weights) as h:
        for i in range(1, 6):
            drive(h, i)
            assert h.depth_of(i * STEP) is not None
        status, values = h.status()
        assert (status.level, status.message[-16:]) == (b'\x01', ' scale searching')
        assert 1.0 <= float(values['scale']) < 1.1
        for i in range(6, 100):
            drive(h, i)
            assert h.depth_of(i * STEP) is not None
            if i % 10 == 0 and h.status()[1]['scale_state'] == 'locked':
                break
        status, values = h.status()
        assert (status.level, values['scale_state']) == (b'\x00', 'locked')
        assert float(values['scale']) == pytest.approx(1.4, rel=0.02)
        assert medians(h)[-1] / medians(h)[2] == pytest.approx(1.4, rel=0.05)
        assert np.abs(np.diff(np.log(medians(h)[5:]))).max() < 0.02
        speed = h.received['odometry'][-1].twist.twist.linear
        assert abs(speed.z) == pytest.approx(METRES_PER_FRAME / (STEP / 1e9), rel=0.02)

        # Another start value begins the search again.
        assert h.set(scale__value=4.0)[0]
        drive(h, i + 1)
        assert h.depth_of((i + 1) * STEP) is not None
        values = h.status()[1]
        assert (values['scale_state'], values['scale']) == ('searching', '4')


def test_a_scale_is_found_before_anybody_listens(tiny_weights):
    with start_odometry(tiny_weights, listen=()) as h:
        for i in range(1, 100):
            drive(h, i)
            if i % 10 == 0 and h.status()[1]['scale_state'] == 'locked':
                break
        values = h.status()[1]
        assert values['scale_state'] == 'locked'
        assert values['frames_published'] == '0'


def test_a_reset_forgets_path_and_scale(tiny_weights):
    with start_odometry(tiny_weights) as h:
        for i in range(1, 60):
            drive(h, i)
            if i % 10 == 0 and h.status()[1]['scale_state'] == 'locked':
                break
        assert h.depth_of(i * STEP, 'odometry').pose.pose.position.x > 1
        assert h.client_call(Trigger, 'mdepth/reset', Trigger.Request()).success
        drive(h, i + 1)
        position = h.depth_of((i + 1) * STEP, 'odometry').pose.pose.position
        assert (position.x, position.y, position.z) == (0, 0, 0)
        assert h.status()[1]['scale_state'] == 'searching'


def test_the_path_is_on_tf_where_that_is_asked_for(tiny_weights):
    tf2_msgs = pytest.importorskip('tf2_msgs.msg')
    with start(tiny_weights, moving, listen=('odometry',), odometry__publish_tf=True,
               odometry__frame_id='path') as h:
        h.received['/tf'] = []
        h.listen('/tf', tf2_msgs.TFMessage)
        assert wait_for(lambda: h.node.count_subscribers('/tf') == 1)
        for i in range(1, 4):
            drive(h, i)
        seen = h.depth_of(3 * STEP, 'odometry')
        assert wait_for(lambda: h.received['/tf']
                        and h.received['/tf'][-1].transforms[0].header.stamp == seen.header.stamp)
        sent, = h.received['/tf'][-1].transforms
        assert (sent.header.frame_id, sent.child_frame_id) == ('path', seen.child_frame_id)
        assert sent.transform.translation.x == seen.pose.pose.position.x > 0
        assert sent.transform.rotation == seen.pose.pose.orientation


def test_the_path_has_the_frame_that_is_asked_for(tiny_weights):
    with start(tiny_weights, moving, listen=('odometry',), odometry__frame_id='path') as h:
        drive(h, 1)
        assert h.depth_of(STEP, 'odometry').header.frame_id == 'path'


def test_a_position_that_is_no_number_is_told_and_left_out(tiny_weights):
    with start_odometry(tiny_weights, scale__wait=True) as h:
        for i in range(1, 33):
            drive(h, i)
            if i == 8:
                h.odometry.publish(odometry_at(i * STEP + STEP // 4, np.nan))
                h.odometry.publish(odometry_at(i * STEP + STEP // 3, np.inf))
        assert h.depth_of(32 * STEP) is not None
        assert float(h.status()[1]['scale']) == pytest.approx(1.4, rel=0.02)
        line, = h.logs('odom must have a finite position, got ')
        assert line.endswith('[nan, 0.0, 0.0]')


def test_waiting_for_the_scale_publishes_nothing_that_is_not_metric(tiny_weights):
    with start_odometry(tiny_weights, scale__wait=True) as h:
        for i in range(1, 6):
            drive(h, i)
        status, values = h.status()
        assert status.message == 'waiting: the scale is not known yet'
        assert (status.level, values['scale_state']) == (b'\x01', 'searching')
        assert not h.received['depth/image']
        i = 5
        while not len(h.received['depth/image']) > 3:
            i += 1
            assert i < 100
            drive(h, i)
        np.testing.assert_allclose(medians(h), medians(h)[-1], rtol=0.02)
        assert h.status()[1]['scale_state'] == 'locked'
        # What was driven before is not known in metres: the path starts here.
        begin = h.received['odometry'][0].pose.pose.position
        assert (begin.x, begin.y, begin.z) == (0, 0, 0)


def test_silent_odometry_is_lost_but_keeps_the_scale(tiny_weights):
    with start_odometry(tiny_weights, scale__wait=True) as h:
        for i in range(1, 33):
            drive(h, i)
        assert h.depth_of(32 * STEP) is not None
        for i in range(33, 57, 2):
            assert h.works(i * STEP)
        status, values = h.status()
        assert (status.level, values['scale_state']) == (b'\x01', 'lost')
        assert float(values['scale']) == pytest.approx(1.4, rel=1e-3)


@pytest.mark.parametrize(('canonical_focal', 'state'), [(0.0, 'searching'), (150.0, 'locked')])
def test_a_lens_of_another_focal_length_has_another_scale(tmp_path, canonical_focal, state):
    """But for networks that answer for a canonical focal length."""
    torch.manual_seed(0)
    weights = tmp_path / 'weights.safetensors'
    save_checkpoint(DepthModel(replace(lite_config(), canonical_focal=canonical_focal)), weights)
    with start_odometry(weights, scale__wait=True) as h:
        for i in range(1, 33):
            drive(h, i)
        assert h.depth_of(32 * STEP) is not None
        assert h.status()[1]['scale_state'] == 'locked'
        for i in (33, 34):  # the first may arrive before its CameraInfo, and is of the old camera
            h.send(i * STEP, camera=Camera.from_fov(128, 96, 40.0))
            assert wait_for(lambda stamp_ns=i * STEP: h.newest_ns == stamp_ns)
        assert wait_for(lambda: h.status()[1]['scale_state'] == state)


def test_the_ground_gives_the_scale(tiny_weights):
    with start_ground(tiny_weights, over_ground, scale__wait=True) as h:
        h.send(STEP)
        assert wait_for(lambda: h.status()[1].get('scale_state') == 'searching')
        for i in range(3, 25, 2):
            h.send(i * STEP)
            assert wait_for(lambda i=i: h.newest_ns == i * STEP)
        assert h.depth_of(23 * STEP) is not None
        status, values = h.status()
        assert (status.level, values['scale_state']) == (b'\x00', 'locked')
        assert float(values['scale']) == pytest.approx(CAMERA_HEIGHT_M / 0.5, rel=0.02)


def test_without_ground_there_is_no_scale(tiny_weights):
    with start_ground(tiny_weights, before_a_wall) as h:
        for i in range(1, 29, 2):
            assert h.works(i * STEP)
        status, values = h.status()
        assert (status.level, values['scale_state'], values['scale']) == (b'\x01', 'lost', '1')
