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

"""Messages through a real node, in a process of its own, over DDS."""

from pathlib import Path
import time

import cv2
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from mdepth_ros.ros.camera_info import raw_info
from mdepth_ros.ros.child_process import ChildProcess
from mdepth_ros.ros.lifecycle_client import LifecycleClient
from message_cases import CAMERA, HEIGHT, make_case, pixels, set_header, WIDTH
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

NAMESPACE = '/fuzz'
# How often a good image shows that the node still works.
CHECK_EVERY = 25
ANSWER_S = 20.0
MOST_NODE_BYTES = 2**29


class NodeTarget:
    """
    A node that lives through all cases, and between them gives depth for good images.

    A broken CameraInfo goes out alone; an image has a good CameraInfo in front half of the time.
    """

    limit_s = 60.0
    limit_bytes = 2**29

    transport = 'raw'

    def __init__(self, work, weights):
        self._context, self._count, self._named = Context(), 0, set()
        rclpy.init(context=self._context)
        node = rclpy.create_node('camera', context=self._context, namespace=NAMESPACE)
        qos = QoSProfile(depth=10)
        self._publishers = {'info': node.create_publisher(CameraInfo, 'camera_info', qos),
                            'image': node.create_publisher(Image, 'image', qos),
                            'compressed': node.create_publisher(
                                CompressedImage, 'image/compressed', qos)}
        self._kind = 'image' if self.transport == 'raw' else 'compressed'
        self._stamps = []
        node.create_subscription(Image, 'depth/image', self._on_depth, qos)
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, qos)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(node)
        values = {'weights': weights, 'network.width': 64, 'network.height': 64, 'device': 'cpu',
                  'backend': 'torch', 'camera_info.timeout': 0.02, 'diagnostics.rate': 10.0,
                  'image_transport': self.transport}
        words = ['--ros-args', '-r', f'__ns:={NAMESPACE}']
        for name, value in values.items():
            words += ['-p', f'{name}:={value}']
        self._process = ChildProcess('the node', 'mdepth_ros.ros.depth_node', words,
                                     work / 'node.txt')
        with LifecycleClient(f'{NAMESPACE}/mdepth', self._process.check) as client:
            client.wait_for_node()
            for transition in ('configure', 'activate'):
                assert client.change(transition)
        self._good_image_gives_depth()
        self._start_bytes = self._peak_bytes()

    def run(self, rng, folder):
        case = make_case(rng, (self._kind, self._kind, 'info'))
        (folder / f'{case.kind}.cdr').write_bytes(case.cdr)
        if case.kind != 'info' and rng.random() < 0.5:
            self._publishers['info'].publish(raw_info(CAMERA))
        self._publishers[case.kind].publish(case.cdr)
        self._spin(0.01)
        self._process.check()
        self._count += 1
        if self._count % CHECK_EVERY == 0:
            self._good_image_gives_depth()
            extra = self._peak_bytes() - self._start_bytes
            assert extra < MOST_NODE_BYTES, f'the node took {extra / 2**20:.0f} MB more'
        return 'sent'

    def finish(self):
        """Check what must hold at the end; returns what to say of it."""
        self._good_image_gives_depth()
        assert self._named, 'diagnostics have not named any problem'
        assert 'which is a bug' not in self._process.log_text(), self._process.log_tail(40)
        grown = (self._peak_bytes() - self._start_bytes) / 2**20
        status = self._process.stop()
        assert status == 0, f'the node ended with {status}'
        self._executor.shutdown()
        rclpy.shutdown(context=self._context)
        return (f'diagnostics named {len(self._named)} problems, for example '
                f'{sorted(self._named)[0][:100]!r}; the node grew by {grown:.0f} MB')

    def _good_image_gives_depth(self):
        """Send good images until one comes back as depth, as a camera does."""
        end_s = time.monotonic() + ANSWER_S
        self._stamps.clear()
        sent = []
        while not set(sent) & set(self._stamps):
            self._process.check()
            assert time.monotonic() < end_s, f'no depth for {len(sent)} good images'
            second = 10_000 + 2 * int(time.monotonic() * 50)
            image, info = self._good_image(), raw_info(CAMERA)
            for message in (info, image):
                set_header(message, second, 0)
            self._publishers['info'].publish(info)
            self._publishers[self._kind].publish(image)
            sent.append(second)
            self._spin(0.1)

    def _good_image(self):
        picture = pixels(_Fixed())
        if self.transport == 'raw':
            return Image(width=WIDTH, height=HEIGHT, encoding='rgb8', step=3 * WIDTH,
                         data=picture.tobytes())
        return CompressedImage(format='png', data=cv2.imencode('.png', picture)[1].tobytes())

    def _spin(self, seconds):
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left_s)

    def _on_depth(self, depth):
        assert (depth.width, depth.height, len(depth.data)) == (64, 64, 4 * 64 * 64)
        self._stamps.append(depth.header.stamp.sec)

    def _on_diagnostics(self, array):
        self._named.update(status.message for status in array.status
                           if status.level == DiagnosticStatus.ERROR)

    def _peak_bytes(self):
        """Most memory that the node has had."""
        text = Path(f'/proc/{self._process.process.pid}/status').read_text()
        return 1024 * int(text.split('VmHWM:')[1].split()[0])


class CompressedNodeTarget(NodeTarget):
    """The same with a node that takes compressed images."""

    transport = 'compressed'


class _Fixed:
    """The same blots each time."""

    def randbytes(self, count):
        return bytes(37 * n % 251 for n in range(count))
