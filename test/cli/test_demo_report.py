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

"""The numbers of the report and the writing of bags, without a network."""

from bags import write_bag
from camera_messages import header, ROS2
from mdepth_ros.cli.demo.report import frame_error
from mdepth_ros.cli.played.material import material_from_bag, material_from_source
from mdepth_ros.cli.played.recording import diagnostic_values, pixels_of, read_messages
from mdepth_ros.cli.played.source import CameraChoice, Source, SourceFrame
from mdepth_ros.engine.camera import Camera
from mdepth_ros.messages.images import decode_image
from mdepth_ros.ros.camera_bag import CameraBag
import numpy as np
import pytest


def test_frame_error_by_hand():
    truth = np.array([[2.0, 4.0, np.nan, np.inf, 100.0]], np.float32)
    depth = np.array([[1.0, 2.0, 1.0, 1.0, 1.0]], np.float32)
    error = frame_error(depth, truth)
    assert (error.coverage, error.raw.abs_rel, error.raw.d1) == (1.0, 0.5, 0.0)
    assert (error.scaled.abs_rel, error.scaled.d1, error.ratio) == (0.0, 1.0, 2.0)


def test_pixels_without_depth_lower_the_coverage_only():
    truth = np.full((2, 2), 3.0, np.float32)
    depth = np.array([[3.0, np.nan], [np.inf, -np.inf]], np.float32)
    error = frame_error(depth, truth)
    assert (error.coverage, error.raw.abs_rel, error.raw.d1, error.ratio) == (0.25, 0.0, 1.0, 1.0)
    assert error.scaled == error.raw


def test_nothing_to_compare():
    assert frame_error(np.full((2, 2), np.nan, np.float32), np.ones((2, 2), np.float32)) is None


def test_smaller_depth_is_compared_at_the_truths_size():
    error = frame_error(np.full((2, 3), 5.0, np.float32), np.full((4, 6), 5.0, np.float32))
    assert (error.coverage, error.raw.abs_rel) == (1.0, 0.0)


def test_bag_holds_truth_and_odometry_in_body_axes(tmp_path):
    # One metre forward and half a metre to the right, in optical axes of a turned world.
    world = np.eye(4)
    world[:3, :3] = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    world[:3, 3] = (3.0, 2.0, 1.0)
    step = np.eye(4)
    step[:3, 3] = (0.5, 0.0, 1.0)
    rgb, depth = np.zeros((4, 6, 3), np.uint8), np.full((4, 6), 7.5, np.float32)
    frames = [SourceFrame(10**18 + i * 10**8, rgb, depth, T)
              for i, T in enumerate((world, world @ step))]
    source = Source('two frames', Camera.from_fov(6, 4, 90.0), 2, iter(frames))
    material = material_from_source(source, tmp_path)
    poses = [item.message for item in read_messages(material.bag, '/odom')]
    position = poses[1].pose.pose.position
    assert (position.x, position.y, position.z) == pytest.approx((1.0, -0.5, 0.0), abs=1e-12)
    assert poses[1].twist.twist.linear.x == pytest.approx(10.0)
    assert poses[1].pose.pose.orientation.w == pytest.approx(1.0)
    truth = list(read_messages(material.truth, '/truth/depth'))
    assert [item.stamp_ns for item in truth] == [frame.stamp_ns for frame in frames]
    np.testing.assert_array_equal(pixels_of(truth[0].message), depth)


def test_written_bag_has_the_pixels_and_the_camera(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    camera = Camera(6, 4, np.array([[5.0, 0, 2.5], [0, 5.0, 1.5], [0, 0, 1]]),
                    np.array([0.1, 0, 0, 0, 0]), 'plumb_bob')
    frames = [SourceFrame(10**18 + 5, rgb)]
    material = material_from_source(Source('one', camera, 1, iter(frames)), tmp_path)
    assert (material.truth, material.is_rectified, material.topics.odometry) == (None, False, None)
    image, = read_messages(material.bag, material.topics.image)
    assert np.array_equal(decode_image(image.message), rgb)
    info, = read_messages(material.bag, material.topics.camera_info)
    assert image.stamp_ns == info.stamp_ns == 10**18 + 5
    assert image.message.header.frame_id == info.message.header.frame_id
    assert info.message.k.tolist() == camera.K.ravel().tolist()
    assert info.message.d.tolist() == [0.1, 0, 0, 0, 0]


@pytest.mark.parametrize(('topic', 'distortion', 'expected'), [
    ('/direct/image_raw', 0.1, False), ('/direct/image_raw', 0.0, True),
    ('/direct/image_rect', 0.1, True)])
def test_a_bag_is_rectified_by_its_name_or_its_camera(tmp_path, topic, distortion, expected):
    rgb, camera = np.zeros((4, 6, 3), np.uint8), Camera(
        6, 4, np.diag([5.0, 5.0, 1.0]), np.array([distortion, 0, 0, 0, 0]), 'plumb_bob')
    bag = CameraBag(tmp_path / 'bag', camera, topic)
    with bag:
        bag.write(10**18, rgb)
    assert material_from_bag(tmp_path / 'bag', CameraChoice()).is_rectified is expected


def test_diagnostics_of_other_nodes_are_not_ours(tmp_path):
    types = ROS2.types
    messages = []
    for index, name in enumerate(('robot/mdepth: depth', 'ours/mdepth: depth', 'battery')):
        pair = types['diagnostic_msgs/msg/KeyValue'](key='latency_ms', value=str(index))
        status = types['diagnostic_msgs/msg/DiagnosticStatus'](
            level=0, name=name, message='', hardware_id='', values=[pair])
        array = types['diagnostic_msgs/msg/DiagnosticArray'](
            header=header(ROS2, index), status=[status, status])
        messages.append(('/diagnostics', index, array))
    write_bag(tmp_path / 'run', 'mcap', messages)
    assert diagnostic_values(tmp_path / 'run', 'ours/mdepth: depth') == 2 * [{'latency_ms': '1'}]
