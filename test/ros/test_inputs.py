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

import threading
import time

from mdepth_ros.engine.camera import Camera
from mdepth_ros.errors import BadCamera
from mdepth_ros.ros.inputs import CameraCache, NewestImage, REMEMBERED
import pytest
from sensor_msgs.msg import Image

WIDE, TELE, OTHER = (Camera.from_fov(64, 48, 90.0), Camera.from_fov(64, 48, 40.0),
                     Camera.from_fov(32, 24, 90.0))


def after(delay_s, function, *arguments):
    timer = threading.Timer(delay_s, function, arguments)
    timer.start()
    return timer


def test_the_newest_image_wins_and_the_replaced_are_counted():
    slot = NewestImage()
    images = [Image(width=i) for i in range(4)]
    for image in images:
        slot.put(image)
    assert slot.take()[0] is images[3]
    assert (slot.received, slot.replaced) == (4, 3)
    slot.put(images[0])
    assert slot.take()[0] is images[0]
    assert (slot.received, slot.replaced) == (5, 3)


def test_take_waits_and_close_sends_home():
    slot = NewestImage()
    started_s = time.monotonic()
    after(0.05, slot.put, Image(width=7))
    message, arrived_s = slot.take()
    assert message.width == 7
    assert started_s + 0.05 <= arrived_s <= time.monotonic()
    after(0.05, slot.close)
    assert slot.take() is None
    slot.put(Image())
    assert slot.take() is None


def test_a_disabled_slot_takes_nothing():
    slot = NewestImage()
    slot.enabled = False
    slot.put(Image())
    assert slot.received == 0


def cache(exact=False, timeout_s=0.1):
    return CameraCache(exact, '/camera_info', timeout_s)


def test_the_camera_of_its_stamp_else_the_latest():
    cameras = cache()
    cameras.put(1, WIDE)
    cameras.put(2, TELE)
    assert cameras.camera_of(99, 64, 48) is TELE
    assert cameras.camera_of(1, 64, 48) is WIDE


def test_equal_cameras_are_the_same_object():
    cameras = cache()
    cameras.put(1, WIDE)
    cameras.put(2, Camera.from_fov(64, 48, 90.0))
    assert cameras.camera_of(2, 64, 48) is WIDE


@pytest.mark.parametrize('exact', [False, True])
def test_an_image_waits_for_its_camera(exact):
    cameras = cache(exact, 2.0)
    cameras.put(1, OTHER)
    after(0.05, cameras.put, 2, WIDE)
    started = time.monotonic()
    assert cameras.camera_of(2, 64, 48) == WIDE
    assert time.monotonic() - started < 1.0


def test_errors_name_the_topic_and_what_is_missing():
    with pytest.raises(BadCamera, match='images come, but no usable CameraInfo on /camera_info'):
        cache().camera_of(1, 64, 48)
    cameras = cache()
    cameras.put(1, OTHER)
    with pytest.raises(BadCamera, match=r'the image is 64 x 48, but .* is for 32 x 24'):
        cameras.camera_of(1, 64, 48)
    cameras = cache(exact=True)
    cameras.put(1, WIDE)
    with pytest.raises(BadCamera, match='no CameraInfo with the stamp of the image'):
        cameras.camera_of(2, 64, 48)


def test_exact_stamps_find_earlier_cameras_but_not_for_ever():
    cameras = cache(exact=True)
    for stamp in range(REMEMBERED + 1):
        cameras.put(stamp, WIDE if stamp % 2 else TELE)
    assert cameras.camera_of(1, 64, 48) == WIDE
    assert cameras.camera_of(2, 64, 48) == TELE
    with pytest.raises(BadCamera):
        cameras.camera_of(0, 64, 48)


def test_a_lost_camera_info_does_not_cost_the_whole_timeout():
    cameras = cache(exact=True, timeout_s=5.0)
    cameras.put(1, WIDE)
    after(0.05, cameras.put, 3, WIDE)
    started = time.monotonic()
    with pytest.raises(BadCamera, match='stamp of the image'):
        cameras.camera_of(2, 64, 48)
    assert time.monotonic() - started < 1.0
    # After a jump back later stamps are old ones: they do not say that ours is lost.
    after(0.05, cameras.put, 0, TELE)
    assert cameras.camera_of(0, 64, 48) == TELE


def test_a_bad_camera_info_takes_the_old_one_away():
    cameras = cache(timeout_s=0.01)
    cameras.put(1, WIDE)
    cameras.refuse('K is all zeros')
    with pytest.raises(BadCamera, match='K is all zeros'):
        cameras.camera_of(2, 64, 48)
    cameras.put(3, TELE)
    assert cameras.camera_of(3, 64, 48) is TELE


def test_closing_sends_a_waiting_image_home():
    cameras = cache(timeout_s=5.0)
    cameras.put(1, OTHER)
    after(0.05, cameras.close)
    started = time.monotonic()
    assert cameras.camera_of(1, 64, 48) is None
    assert time.monotonic() - started < 1.0
