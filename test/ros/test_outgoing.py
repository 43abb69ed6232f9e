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

"""Messages made without ROS are, byte for byte, those that the node publishes."""

from mdepth_ros.engine.camera import Camera, resized_camera
from mdepth_ros.engine.camera_path import CameraPath
from mdepth_ros.messages import outgoing
from mdepth_ros.messages.bag import ros2_types
from mdepth_ros.ros.camera_info import rectified_info
from mdepth_ros.ros.messages import bgr_image, dense_cloud, metres_image
from mdepth_ros.ros.odometry import odometry_message, transform_of
import numpy as np
import pytest
from rclpy.serialization import serialize_message
from std_msgs.msg import Header

STAMP_NS = 12_000_000_345
FRAME = 'cam_optical'
RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)
POINTS = RNG.normal(0, 5, (7, 3)).astype(np.float32)


def ros_header(frame_id=FRAME):
    header = Header(frame_id=frame_id)
    header.stamp.sec, header.stamp.nanosec = divmod(STAMP_NS, 1_000_000_000)
    return header


HEAD, ROS_HEAD = outgoing.header(STAMP_NS, FRAME), ros_header()


def path():
    walked = CameraPath()
    walked.T_first_camera[:3] = [[0, 0, 1, 3.0], [0, 1, 0, -0.5], [-1, 0, 0, 2.0]]
    walked.twist = np.arange(6.0)
    return walked


def same(ours, theirs):
    store, kind = ros2_types(), ours.__msgtype__
    # Read and written again: what fills the gaps between the fields is anybody's choice.
    theirs = store.deserialize_cdr(serialize_message(theirs), kind)
    assert bytes(store.serialize_cdr(ours, kind)) == bytes(store.serialize_cdr(theirs, kind))


def test_images():
    depth = np.where(RNG.random((6, 8)) < 0.5, np.inf, 2.5).astype(np.float32)
    same(outgoing.raw_image(depth, '32FC1', HEAD), metres_image(depth, ROS_HEAD))
    same(outgoing.raw_image(PIXELS, 'bgr8', HEAD), bgr_image(PIXELS, ROS_HEAD))


@pytest.mark.parametrize('count', [0, 1, 7])
def test_clouds(count):
    colours = PIXELS.reshape(-1, 3)[:count]
    same(outgoing.cloud(POINTS[:count], colours, HEAD),
         dense_cloud(POINTS[:count], colours, ROS_HEAD))


def test_camera_info():
    camera = resized_camera(Camera.from_fov(64, 48, 80.0), 32, 32)
    same(outgoing.camera_info(camera, HEAD), rectified_info(camera, ROS_HEAD))


def test_odometry_and_its_transform():
    head = outgoing.header(STAMP_NS, 'odom')
    theirs = odometry_message(path(), ROS_HEAD, 'odom')
    same(outgoing.odometry(path(), head, FRAME), theirs)
    ours, = outgoing.transform_message(path(), head, FRAME).transforms
    same(ours, transform_of(theirs))
