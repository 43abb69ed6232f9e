import numpy as np
import pytest
import torch

from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.frames import Frame, FrameBuffer, PastFrame
from mdepth_ros.errors import BadImage

CAMERA = Camera.from_fov(64, 48, 80.0)


def past(stamp_ns):
    return PastFrame(torch.zeros(1, 3, 64, 64), torch.zeros(1, 32, 16, 16), stamp_ns)


@pytest.mark.parametrize('rgb', [
    np.zeros((64, 48, 3), np.uint8), np.zeros((48, 64), np.uint8),
    np.zeros((48, 64, 4), np.uint8), np.zeros((48, 64, 3), np.float32)])
def test_a_frame_fits_its_camera(rgb):
    with pytest.raises(BadImage, match=r'the camera gives \(48, 64, 3\) uint8 images, got'):
        Frame(rgb, CAMERA, 0)
    Frame(np.zeros((48, 64, 3), np.uint8), CAMERA, 0)


def test_the_buffer_drops_the_oldest():
    buffer = FrameBuffer(3)
    assert buffer.newest is None
    for stamp in range(5):
        buffer.append(past(stamp))
    assert [f.stamp_ns for f in buffer] == [2, 3, 4]
    assert buffer.newest.stamp_ns == 4
    buffer.clear()
    assert len(buffer) == 0
    assert buffer.newest is None


@pytest.mark.parametrize('stamp', [4, 5])
def test_the_buffer_takes_only_newer_frames(stamp):
    buffer = FrameBuffer(3)
    buffer.append(past(5))
    with pytest.raises(ValueError, match=f'stamp_ns must be after 5, got {stamp}'):
        buffer.append(past(stamp))
    assert len(buffer) == 1


def test_a_buffer_for_nothing_is_refused():
    with pytest.raises(ValueError, match='capacity must be at least 1, got 0'):
        FrameBuffer(0)
