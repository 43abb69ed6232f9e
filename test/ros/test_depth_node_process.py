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

"""The node as a process of its own: it starts, and every signal ends it without a trace."""

import os
import signal
import subprocess
import sys
import time

from harness import FRAME, noise_image, STEP
from mdepth_ros.engine.camera import Camera
from mdepth_ros.ros.camera_info import rectified_info
from mdepth_ros.ros.lifecycle_client import LifecycleClient
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import CameraInfo, Image

STATES = {'unconfigured': (), 'inactive': ('configure',), 'active': ('configure', 'activate'),
          'finalized': ('configure', 'activate', 'shutdown')}


class Sender:
    """A camera in this process."""

    def __init__(self):
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node('sender', context=self.context, namespace='/process')
        self.images = self.node.create_publisher(Image, 'image', 1)
        self.infos = self.node.create_publisher(CameraInfo, 'camera_info', 1)
        self.depths = []
        self.node.create_subscription(Image, 'depth/image', self.depths.append, 1)

    def run(self, until, timeout_s=20.0):
        executor = SingleThreadedExecutor(context=self.context)
        executor.add_node(self.node)
        camera, i = Camera.from_fov(128, 96, 80.0), 0
        end = time.monotonic() + timeout_s
        while not until() and time.monotonic() < end:
            i += 1
            image = noise_image(128, 96, i)
            image.header.frame_id = FRAME
            image.header.stamp.sec, image.header.stamp.nanosec = divmod(i * STEP, 10**9)
            self.infos.publish(rectified_info(camera, image.header))
            self.images.publish(image)
            executor.spin_once(timeout_sec=0.02)
        executor.shutdown()

    def close(self):
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


def start(tmp_path, weights):
    parameters = tmp_path / 'parameters.yaml'
    parameters.write_text(
        f"/**:\n  ros__parameters:\n    weights: '{weights}'\n    network.width: 96\n"
        '    network.height: 64\n')
    return subprocess.Popen(
        [sys.executable, '-m', 'mdepth_ros.ros.depth_node', '--ros-args', '-r', '__ns:=/process',
         '--params-file', str(parameters)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ)


@pytest.mark.parametrize(('state', 'number'), [
    ('unconfigured', signal.SIGINT), ('inactive', signal.SIGTERM), ('active', signal.SIGINT),
    ('active', signal.SIGTERM), ('finalized', signal.SIGINT)])
def test_a_signal_ends_the_process_cleanly_from_every_state(
    tmp_path, tiny_weights, state, number
):
    process = start(tmp_path, tiny_weights)
    try:
        with LifecycleClient('/process/mdepth') as client:
            client.wait_for_node()
            for transition in STATES[state]:
                client.change(transition)
        if state == 'active':
            sender = Sender()
            sender.run(lambda: len(sender.depths) > 3)
            assert len(sender.depths) > 3
            # In the middle of a frame.
            process.send_signal(number)
            sender.run(lambda: process.poll() is not None, timeout_s=10)
            sender.close()
        else:
            process.send_signal(number)
        output, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0, output
    assert 'Traceback' not in output
    assert 'rror' not in output, output


def test_signals_that_come_again_and_again_do_not_kill_it(tmp_path, tiny_weights):
    # Ctrl-C reaches the node from the terminal and from launch.
    process = start(tmp_path, tiny_weights)
    try:
        with LifecycleClient('/process/mdepth') as client:
            client.wait_for_node()
            client.change('configure')
        end = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < end:
            # As close together as they come: one must be able to interrupt another's handler.
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    # Python may print on the way out that a signal was "ignored due to race condition".
    assert process.returncode == 0, output
