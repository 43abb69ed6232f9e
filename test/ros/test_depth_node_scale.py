"""Metres from odometry: searched for, found, kept, and said."""

import numpy as np
import pytest
import torch
from harness import STEP, Harness, noise_image, wait_for
from nav_msgs.msg import Odometry

UNITS_PER_FRAME = 0.1
METRES_PER_FRAME = 0.25


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
    assert wait_for(lambda: len(h.node._estimator._buffer) and (
        h.node._estimator._buffer.newest.stamp_ns == i * STEP))


def start(weights, **parameters):
    h = Harness(weights, listen=('depth/image', 'odometry'), scale__mode='odometry', **parameters)
    h.start()
    assert wait_for(h.odometry.get_subscription_count)
    # Random weights see random motions.
    motion = torch.eye(4)[None]
    motion[0, 2, 3] = -UNITS_PER_FRAME
    h.node._estimator._motion = lambda *_: motion
    return h


def medians(h):
    return [np.median(np.frombuffer(m.data, np.float32)) for m in h.received['depth/image']]


def test_scale_locks_and_changes_the_depth(tiny_weights):
    with start(tiny_weights) as h:
        for i in range(1, 6):
            drive(h, i)
            assert h.depth_of(i * STEP) is not None
        status, values = h.status()
        assert (status.level, status.message) == (b'\x01', 'multi, scale searching')
        assert values['scale'] == '1'
        for i in range(6, 22):
            drive(h, i)
            assert h.depth_of(i * STEP) is not None
        status, values = h.status()
        assert (status.level, values['scale_state']) == (b'\x00', 'locked')
        assert float(values['scale']) == pytest.approx(2.5, rel=1e-3)
        assert medians(h)[-1] / medians(h)[2] == pytest.approx(2.5, rel=0.02)
        speed = h.received['odometry'][-1].twist.twist.linear
        assert abs(speed.z) == pytest.approx(METRES_PER_FRAME / (STEP / 1e9), rel=1e-3)

        # ~/reset and another start value begin the search again.
        assert h.set(scale__value=4.0)[0]
        drive(h, 22)
        assert h.depth_of(22 * STEP) is not None
        values = h.status()[1]
        assert (values['scale_state'], values['scale']) == ('searching', '4')


def test_waiting_for_the_scale_publishes_nothing_that_is_not_metric(tiny_weights):
    with start(tiny_weights, scale__wait=True) as h:
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


def test_silent_odometry_is_lost_but_keeps_the_scale(tiny_weights):
    with start(tiny_weights) as h:
        for i in range(1, 21):
            drive(h, i)
            assert h.depth_of(i * STEP) is not None
        for i in range(21, 45, 2):
            assert h.works(i * STEP)
        status, values = h.status()
        assert (status.level, values['scale_state']) == (b'\x01', 'lost')
        assert float(values['scale']) == pytest.approx(2.5, rel=1e-3)
