import numpy as np
from harness import CLEANUP, DEACTIVATE, FRAME, Harness

STEP = 100_000_000


def test_frames_in_depth_out_with_the_same_stamp_and_frame(tiny_weights):
    with Harness(tiny_weights).start() as h:
        for i in range(1, 4):
            h.send(i * STEP)
            depth = h.depth_of(i * STEP)
            assert depth is not None
            assert (depth.width, depth.height, depth.encoding) == (96, 64, '32FC1')
            assert depth.header.frame_id == FRAME
        for topic in ('depth/camera_info', 'depth/points', 'depth/confidence', 'depth/color',
                      'odometry'):
            assert h.depth_of(3 * STEP, topic) is not None, topic
        values = np.frombuffer(depth.data, np.float32)
        assert np.isfinite(values).mean() > 0.9
        assert h.status()[1]['mode'] == 'multi'
        assert h.transition(DEACTIVATE)
        assert h.transition(CLEANUP)
