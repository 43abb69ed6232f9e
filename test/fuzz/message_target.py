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

"""One message through all that the node does with it, without the DDS in between."""

from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.camera_path import CameraPath
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import Frame
from mdepth_ros.engine.rendering import Rendering, RenderingOptions
from mdepth_ros.messages.camera_info import camera_from_info
from mdepth_ros.messages.header import nanoseconds
from mdepth_ros.ros.camera_info import rectified_info
from mdepth_ros.ros.image_decoding import decode
from mdepth_ros.ros.inputs import CameraCache
from mdepth_ros.ros.messages import (
    bgr_image,
    dense_cloud,
    metres_image,
    millimetres_image,
    organised_cloud,
    xyz_cloud,
)
from mdepth_ros.ros.odometry import odometry_message, transform_of
from message_cases import KINDS, make_case, pixels, START_S
import numpy as np
from rclpy._rclpy_pybind11 import RMWError
from rclpy.serialization import deserialize_message
from std_msgs.msg import Header

# Images that a case makes for a CameraInfo, and of which it makes depth of their size.
MOST_PIXELS = 2**18


class MessageTarget:
    """Its cases do not depend on each other: each begins with a frame of its own."""

    limit_s = 5.0
    limit_bytes = 2**28

    def __init__(self, work, weights):
        self._estimators = {rectify: DepthEstimator.from_checkpoint(weights, EngineConfig(
            device='cpu', backend='torch', pixel_budget=6144, rectify=rectify))
            for rectify in (False, True)}
        for estimator in self._estimators.values():
            estimator.warm_up()

    def run(self, rng, folder):
        case = make_case(rng)
        (folder / f'{case.kind}.cdr').write_bytes(case.cdr)
        try:
            message = deserialize_message(case.cdr, KINDS[case.kind])
        except RMWError:
            return 'not delivered'
        frame = self._frame_of(rng, case.kind, message)
        before = Frame(np.roll(frame.rgb, 2, axis=1), frame.camera, (START_S - 1) * 10**9)
        estimator = self._estimators[rng.random() < 0.3]
        estimator.reset()
        estimator.observe(before)
        estimate = estimator.push(frame)
        size = rng.choice(('network', 'input'))
        if frame.camera.width * frame.camera.height > MOST_PIXELS:
            size = 'network'  # what is large is slow, which is no fault
        rendering = Rendering(estimate, frame.camera, RenderingOptions(size))
        path = CameraPath()
        path.add(estimate)
        header = Header() if case.kind == 'info' else message.header
        _check_outputs(rendering, header, path)
        assert estimate.stamp_ns == nanoseconds(message.header.stamp)
        return 'depth'

    def _frame_of(self, rng, kind, message):
        """Return what the worker makes of the message and a good partner of it."""
        stamp_ns = nanoseconds(message.header.stamp)
        cache = CameraCache(exact_stamp=True, topic='camera_info', timeout_s=0.0)
        if kind == 'info':
            cache.put(stamp_ns, camera_from_info(message))
            camera = cache.camera_of(stamp_ns, *_size_of(cache, stamp_ns))
            return Frame(pixels(rng, camera.width, camera.height), camera, stamp_ns)
        rgb = decode(message)
        height, width = rgb.shape[:2]
        cache.put(stamp_ns, Camera.from_fov(width, height, 80.0))
        return Frame(rgb, cache.camera_of(stamp_ns, width, height), stamp_ns)


def _size_of(cache, stamp_ns):
    """Return the size of a camera in the cache, or of the usual image if that is huge."""
    camera = cache._by_stamp[stamp_ns]
    fits = camera.width * camera.height <= MOST_PIXELS
    return (camera.width, camera.height) if fits else (64, 48)


def _check_outputs(rendering, header, path):
    """Every message can be made, is of the camera's size, and has the image's stamp and frame."""
    size = (rendering.camera.height, rendering.camera.width)
    assert rendering.depth.shape == rendering.confidence.shape == size
    found = rendering.depth[np.isfinite(rendering.depth)]
    assert (found > 0).all(), found.min()
    assert ((rendering.confidence >= 0) & (rendering.confidence <= 1)).all()
    messages = [
        metres_image(rendering.depth, header), millimetres_image(rendering.depth, header),
        bgr_image(rendering.color, header), organised_cloud(*rendering.points, header),
        rectified_info(rendering.camera, header)]
    for message in messages:
        assert (message.height, message.width) == size
        assert message.header == header
    others = [dense_cloud(*rendering.navigation_points, header),
              xyz_cloud(rendering.clearing_points, header)]
    assert all(message.header == header for message in others)
    assert np.isfinite(rendering.navigation_points[0]).all()
    odometry = odometry_message(path, header, 'odom')
    assert odometry.header.stamp == header.stamp
    assert odometry.child_frame_id == header.frame_id
    transform_of(odometry)
