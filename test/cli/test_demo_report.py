"""The numbers of the report and the writing of bags, without a network."""

import numpy as np
import pytest

pytest.importorskip('rclpy')

from mdepth_ros.cli.demo_material import _quaternion, material_from_source
from mdepth_ros.cli.demo_recording import pixels_of, read_messages
from mdepth_ros.cli.demo_report import frame_error
from mdepth_ros.cli.demo_source import Source, SourceFrame
from mdepth_ros.engine.camera import Camera


def test_frame_error_by_hand():
    truth = np.array([[2.0, 4.0, np.nan, np.inf, 100.0]], np.float32)
    depth = np.array([[1.0, 2.0, 1.0, 1.0, 1.0]], np.float32)
    (coverage, abs_rel, d1, abs_rel_scaled, d1_scaled, ratio), = frame_error(depth, truth)
    assert (coverage, abs_rel, d1) == (1.0, 0.5, 0.0)
    assert (abs_rel_scaled, d1_scaled, ratio) == (0.0, 1.0, 2.0)


def test_pixels_without_depth_lower_the_coverage_only():
    truth = np.full((2, 2), 3.0, np.float32)
    depth = np.array([[3.0, np.nan], [np.inf, -np.inf]], np.float32)
    row, = frame_error(depth, truth)
    assert row == (0.25, 0.0, 1.0, 0.0, 1.0, 1.0)


def test_nothing_to_compare():
    assert frame_error(np.full((2, 2), np.nan, np.float32), np.ones((2, 2), np.float32)) == []


def test_smaller_depth_is_compared_at_the_truths_size():
    row, = frame_error(np.full((2, 3), 5.0, np.float32), np.full((4, 6), 5.0, np.float32))
    assert row[:2] == (1.0, 0.0)


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
    truth = [item for item in read_messages(material.truth, '/truth/depth')]
    assert [item.stamp_ns for item in truth] == [frame.stamp_ns for frame in frames]
    np.testing.assert_array_equal(pixels_of(truth[0].message), depth)


@pytest.mark.parametrize(('axis', 'index'), [((1, 0, 0), 0), ((0, 1, 0), 1), ((0, 0, 1), 2)])
@pytest.mark.parametrize('angle', [0.3, 3.0])
def test_quaternion_of_a_turn_about_an_axis(axis, index, angle):
    # A right-handed turn, column by column.
    c, s = np.cos(angle), np.sin(angle)
    j, k = (index + 1) % 3, (index + 2) % 3
    R = np.eye(3)
    R[j, j], R[k, j], R[j, k], R[k, k] = c, s, -s, c
    expected = [*(np.sin(angle / 2) * np.array(axis)), np.cos(angle / 2)]
    assert _quaternion(R) == pytest.approx(tuple(expected), abs=1e-12)
