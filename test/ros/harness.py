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

"""A real node and a real camera in one process, over DDS; a thread spins both."""

import threading
import time

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from mdepth_ros.engine.camera import Camera
from mdepth_ros.ros.camera_info import rectified_info
from mdepth_ros.ros.depth_node import DepthNode
from mdepth_ros.ros.publishers import TOPICS
from nav_msgs.msg import Odometry
import numpy as np
from rcl_interfaces.msg import Log
from rcl_interfaces.srv import SetParametersAtomically
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

CONFIGURE = Transition.TRANSITION_CONFIGURE
ACTIVATE = Transition.TRANSITION_ACTIVATE
DEACTIVATE = Transition.TRANSITION_DEACTIVATE
CLEANUP = Transition.TRANSITION_CLEANUP
STEP = 100_000_000  # between two frames [ns]
FRAME = 'camera_optical_frame'


def wait_for(condition, timeout_s=20.0):
    """Poll; returns whether it came true."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


class Harness:
    """
    The node under test, a camera that publishes to it, and ears on all its topics.

    ``parameters`` are given to the node at its start, like a parameters file; NS in a name is the
    namespace.
    """

    count = 0

    def __init__(self, model, /, listen=tuple(TOPICS), reliability=ReliabilityPolicy.RELIABLE,
                 **parameters):
        # A namespace of its own keeps nodes of one process apart, and finds hard-coded names.
        Harness.count += 1
        self.namespace = f'/robot{Harness.count}'
        self.context = Context()
        rclpy.init(context=self.context)
        values = {'weights': str(model), 'device': 'cpu', 'network.width': 96,
                  'network.height': 64, 'diagnostics.rate': 20.0}
        values |= {name.replace('__', '.').replace('NS', self.namespace): value
                   for name, value in parameters.items()}
        self.node = DepthNode(
            context=self.context, namespace=self.namespace,
            parameter_overrides=[Parameter(name, value=value) for name, value in values.items()])
        self.other = rclpy.create_node(
            'camera', context=self.context, namespace=self.namespace)
        self.images = self.other.create_publisher(Image, 'image', QoSProfile(
            depth=10, reliability=reliability))
        self.compressed = self.other.create_publisher(CompressedImage, 'image/compressed', 10)
        self.infos = self.other.create_publisher(CameraInfo, 'camera_info', 10)
        self.odometry = self.other.create_publisher(Odometry, 'odom', 50)
        self.received = {topic: [] for topic in (*TOPICS, '/diagnostics', '/rosout')}
        for topic in listen:
            self.listen(topic, TOPICS[topic])
        self.listen('/diagnostics', DiagnosticArray)
        self.listen('/rosout', Log, QoSProfile(
            depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL))
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.executor.add_node(self.other)
        self.thread = threading.Thread(target=self.executor.spin, daemon=True)
        self.thread.start()

    def listen(self, topic, kind, qos=10):
        """Subscribe and keep every message."""
        return self.other.create_subscription(kind, topic, self.received[topic].append, qos)

    def logs(self, text='', level=Log.WARN):
        """Return what the node has logged, from a level on, as far as it contains a text."""
        return [m.msg for m in self.received['/rosout']
                if m.name == f'{self.namespace[1:]}.mdepth' and m.level >= level and text in m.msg]

    def forget(self):
        """Drop all messages so far."""
        for messages in self.received.values():
            messages.clear()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.executor.shutdown()
        self.thread.join(10)
        self.node.destroy_node()
        self.other.destroy_node()
        rclpy.shutdown(context=self.context)

    def client_call(self, kind, name, request, timeout_s=30.0):
        """Call a service and wait for its answer."""
        client = self.other.create_client(kind, name)
        assert client.wait_for_service(timeout_s)
        future = client.call_async(request)
        assert wait_for(future.done, timeout_s), f'{name} does not answer'
        self.other.destroy_client(client)
        return future.result()

    def transition(self, transition_id):
        """Ask for a lifecycle transition over its service; returns whether it succeeded."""
        request = ChangeState.Request(transition=Transition(id=transition_id))
        return self.client_call(ChangeState, 'mdepth/change_state', request, 60.0).success

    def state(self):
        """Return the label of the lifecycle state."""
        answer = self.client_call(GetState, 'mdepth/get_state', GetState.Request())
        return answer.current_state.label

    def set(self, **parameters):  # noqa: A003  the pair of get
        """Set parameters over the service, all or none; returns (successful, reason)."""
        request = SetParametersAtomically.Request(parameters=[
            Parameter(name.replace('__', '.'), value=value).to_parameter_msg()
            for name, value in parameters.items()])
        result = self.client_call(
            SetParametersAtomically, 'mdepth/set_parameters_atomically', request).result
        return result.successful, result.reason

    def get(self, name):
        """Return the value of one of the node's parameters."""
        return self.node.get_parameter(name).value

    def start(self):
        """Configure and activate, and wait until the camera's topics are matched."""
        assert self.transition(CONFIGURE)
        assert self.transition(ACTIVATE)
        return self.wait_until_matched()

    def wait_until_matched(self):
        """Wait until camera and node, node and listeners have found each other."""
        assert wait_for(lambda: (
            (self.images.get_subscription_count() or self.compressed.get_subscription_count())
            and self.infos.get_subscription_count()
            and all(self.other.count_publishers(topic) for topic in TOPICS)))
        # Listeners that have found a publisher are found by it a little later.
        time.sleep(0.1)
        return self

    def camera(self, width=128, height=96):
        """Return an ideal camera."""
        return Camera.from_fov(width, height, 80.0)

    def send(self, stamp_ns, image=None, camera=None, info=None, frame_id=FRAME):
        """Publish one image (a wall by default) and its CameraInfo; an info of False is none."""
        camera = camera or self.camera()
        image = image or wall_image(camera.width, camera.height, stamp_ns)
        image.header.stamp.sec, image.header.stamp.nanosec = divmod(stamp_ns, 10**9)
        image.header.frame_id = frame_id
        if info is not False:
            info = info or rectified_info(camera, image.header)
            info.header = image.header
            self.infos.publish(info)
        (self.images if isinstance(image, Image) else self.compressed).publish(image)

    def depth_of(self, stamp_ns, topic='depth/image', timeout_s=20.0):
        """Wait for the message with a stamp; None if it does not come."""
        def find():
            return [m for m in self.received[topic]
                    if m.header.stamp.sec * 10**9 + m.header.stamp.nanosec == stamp_ns]
        wait_for(find, timeout_s)
        return (find() or [None])[0]

    def works(self, stamp_ns):
        """Return whether a good frame with this stamp comes back as depth."""
        self.send(stamp_ns)
        return self.depth_of(stamp_ns) is not None

    def status(self):
        """Return the newest diagnostics as (status, values)."""
        def own():
            return [m.status[0] for m in list(self.received['/diagnostics'])
                    if m.status[0].name == f'{self.namespace[1:]}/mdepth: depth']

        seen = len(own())
        assert wait_for(lambda: len(own()) > seen + 1)
        status = own()[-1]
        return status, {value.key: value.value for value in status.values}


def wall_image(width, height, stamp_ns):
    """Make an rgb8 image of a patterned wall, along which the camera goes to and fro."""
    pattern = np.random.default_rng(0).integers(0, 256, (height // 4 + 2, width // 4 + 20, 3))
    wall = np.kron(pattern, np.ones((4, 4, 1))).astype(np.uint8)
    left = abs(stamp_ns // 100_000_000 % 32 - 16) * 2
    pixels = np.ascontiguousarray(wall[:height, left:left + width])
    return Image(width=width, height=height, encoding='rgb8', step=3 * width,
                 data=pixels.tobytes())


def noise_image(width, height, seed):
    """Make an rgb8 image of blurred noise."""
    pixels = np.random.default_rng(seed % 2**32).integers(0, 256, (height, width, 3), np.uint8)
    return Image(width=width, height=height, encoding='rgb8', step=3 * width,
                 data=pixels.tobytes())
