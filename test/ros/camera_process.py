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

"""A camera in a process of its own: ``python -m camera_process NAMESPACE WIDTH HEIGHT COUNT``."""

import sys
import time

import cv2
from mdepth_ros.engine.camera import Camera
from mdepth_ros.messages.serialised import with_stamp
from mdepth_ros.ros.camera_info import raw_info
import numpy as np
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, Image

PERIOD_S = 1 / 30


def passing_by(width, height):
    """Show blots that move by, so that there is something to follow and to match."""
    blots = np.random.default_rng(0).integers(0, 256, (height // 16, width // 16, 3), np.uint8)
    wall = cv2.resize(blots, (width, height), interpolation=cv2.INTER_CUBIC)
    for step in range(8):
        image = Image(width=width, height=height, encoding='rgb8', step=3 * width,
                      data=np.roll(wall, 8 * step, axis=1).tobytes())
        image.header.frame_id = 'camera_optical_frame'
        yield image


def main(namespace, width, height, count):
    """Publish best effort at 30 Hz, and stay until stdin ends: nothing unread may go with us."""
    rclpy.init()
    node = rclpy.create_node('camera', namespace=namespace)
    qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
    images = node.create_publisher(Image, 'image', qos)
    infos = node.create_publisher(CameraInfo, 'camera_info', qos)
    while not (images.get_subscription_count() and infos.get_subscription_count()):
        time.sleep(0.02)
    time.sleep(1.0)  # the other side's half of the meeting
    images_cdr = [serialize_message(image) for image in passing_by(width, height)]
    info_cdr = serialize_message(raw_info(Camera.from_fov(width, height, 80.0)))
    due = time.monotonic()
    for index in range(count):
        stamp_ns = time.time_ns()
        infos.publish(with_stamp(info_cdr, stamp_ns))
        images.publish(with_stamp(images_cdr[index % len(images_cdr)], stamp_ns))
        # A camera that was late does not catch up with a burst.
        due = max(due + PERIOD_S, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))
    print(f'sent {count}', flush=True)
    sys.stdin.read()
    rclpy.shutdown()


if __name__ == '__main__':
    main(sys.argv[1], *map(int, sys.argv[2:]))
