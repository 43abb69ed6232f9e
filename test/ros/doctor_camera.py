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

"""
Cameras in a process of their own, until stdin ends.

``python -m doctor_camera JSON``: options by namespace; a camera without any is healthy.
"""

import itertools
import json
import sys
import threading
import time
from types import SimpleNamespace

from mdepth_ros.engine.camera import Camera
from mdepth_ros.ros.camera_info import raw_info
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

DISTORTED = Camera(128, 96, [[100.0, 0, 63.5], [0, 100.0, 47.5], [0, 0, 1]],
                   [0.1, 0.01, 0, 0, 0], 'plumb_bob')
HEALTHY = {'reliability': 'RELIABLE', 'topic': 'image', 'viewer': '', 'encoding': 'rgb8',
           'frame': 'camera_optical_frame', 'info': 'good', 'rate': 10.0, 'frozen': False,
           'every': 1}


def info_of(kind):
    """Return the CameraInfo of an option."""
    size = (64, 48) if kind == 'small' else (128, 96)
    info = raw_info(DISTORTED if kind == 'distorted' else Camera.from_fov(*size, 80.0))
    if kind == 'zero':
        info.k = [0.0] * 9
    return info


def start_camera(node, namespace, options):
    """Publish by a timer."""
    qos = QoSProfile(depth=10, reliability=ReliabilityPolicy[options.reliability])
    images = node.create_publisher(Image, f'{namespace}/{options.topic}', qos)
    infos = node.create_publisher(CameraInfo, f'{namespace}/camera_info', qos)
    image = Image(width=128, height=96, encoding=options.encoding, step=3 * 128,
                  data=bytes(3 * 128 * 96))
    image.header.frame_id = options.frame
    info, count = info_of(options.info), itertools.count()

    def publish():
        if not options.frozen or not image.header.stamp.sec:
            image.header.stamp.sec, image.header.stamp.nanosec = divmod(time.time_ns(), 10**9)
        info.header = image.header
        if options.info != 'none':
            infos.publish(info)
        if next(count) % options.every == 0:
            images.publish(image)

    if options.rate:
        node.create_timer(1 / options.rate, publish)


def start_viewer(node, namespace, options):
    """Subscribe reliably, and say when the first image is there."""
    received = []

    def receive(message):
        if not received:
            print(f'received from {namespace}', flush=True)
        received.append(message)

    kind = CompressedImage if options.viewer == 'compressed' else Image
    node.create_subscription(kind, f'{namespace}/{options.topic}', receive, 10)


def main(cameras):
    rclpy.init()
    # A context of its own: one refuses two types on a topic.
    context = rclpy.Context()
    rclpy.init(context=context)
    camera = rclpy.create_node('driver')
    viewer = rclpy.create_node('viewer', context=context)
    executors = SingleThreadedExecutor(), SingleThreadedExecutor(context=context)
    for executor, node in zip(executors, (camera, viewer)):
        executor.add_node(node)
    for namespace, given in cameras.items():
        options = SimpleNamespace(**HEALTHY | given)
        start_camera(camera, namespace, options)
        if options.viewer:
            start_viewer(viewer, namespace, options)
    for executor in executors:
        threading.Thread(target=executor.spin, daemon=True).start()
    print('ready', flush=True)
    sys.stdin.read()
    for executor in executors:
        executor.shutdown()
    rclpy.shutdown(context=context)
    rclpy.shutdown()


if __name__ == '__main__':
    main(json.loads(sys.argv[1]))
