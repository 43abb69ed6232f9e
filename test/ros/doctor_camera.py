"""A camera in a process of its own, healthy but for what its options say, until stdin ends."""

import argparse
import itertools
import json
import sys
import threading
import time

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from mdepth_ros.engine.camera import Camera
from mdepth_ros.ros.camera_info import info_message

DISTORTED = Camera(128, 96, [[100.0, 0, 63.5], [0, 100.0, 47.5], [0, 0, 1]],
                   [0.1, 0.01, 0, 0, 0], 'plumb_bob')


def info_of(kind):
    """The CameraInfo of an option."""
    size = (64, 48) if kind == 'small' else (128, 96)
    info = info_message(DISTORTED if kind == 'distorted' else Camera.from_fov(*size, 80.0))
    if kind == 'zero':
        info.k = [0.0] * 9
    return info


def main(namespace, options):
    rclpy.init()
    node = rclpy.create_node('camera', namespace=namespace)
    qos = QoSProfile(depth=10, reliability=ReliabilityPolicy[options.reliability])
    images = node.create_publisher(Image, options.topic, qos)
    infos = node.create_publisher(CameraInfo, 'camera_info', qos)
    clock = node.create_publisher(Clock, '/clock', 1) if options.clock else None
    # One context refuses two types on a topic.
    context = rclpy.Context()
    rclpy.init(context=context)
    viewer = rclpy.create_node('viewer', namespace=namespace, context=context)
    if options.viewer:
        received = []

        def receive(message):
            if not received:
                print('the viewer received an image', flush=True)
            received.append(message)
        viewer.create_subscription(CompressedImage if options.viewer == 'compressed' else Image,
                                   options.topic, receive, 10)  # reliable
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(viewer)
    image = Image(width=128, height=96, encoding=options.encoding, step=3 * 128,
                  data=bytes(3 * 128 * 96))
    image.header.frame_id = options.frame
    info = info_of(options.info)
    ended, count = threading.Event(), itertools.count()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    print('ready', flush=True)
    while not ended.is_set():
        if options.rate:
            if not options.frozen or not image.header.stamp.sec:
                image.header.stamp.sec, image.header.stamp.nanosec = divmod(time.time_ns(), 10**9)
            info.header = image.header
            if options.info != 'none':
                infos.publish(info)
            if next(count) % options.every == 0:
                images.publish(image)
        if clock is not None:
            clock.publish(Clock())
        end = time.monotonic() + 1 / (options.rate or 10.0)
        while time.monotonic() < end:
            executor.spin_once(timeout_sec=max(0.0, end - time.monotonic()))
    rclpy.shutdown(context=context)
    rclpy.shutdown()


if __name__ == '__main__':
    main(sys.argv[1], argparse.Namespace(**{
        'reliability': 'RELIABLE', 'topic': 'image', 'viewer': '', 'encoding': 'rgb8',
        'frame': 'camera_optical_frame', 'info': 'good', 'rate': 10.0, 'frozen': False,
        'clock': False, 'every': 1, **json.loads(sys.argv[2])}))
