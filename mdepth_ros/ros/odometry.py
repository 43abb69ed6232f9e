"""The camera's path, chained from its motions between frames."""

import importlib
from typing import Any

import cv2
import numpy as np
from geometry_msgs.msg import Quaternion, TransformStamped, Vector3
from nav_msgs.msg import Odometry
from numpy.typing import NDArray
from std_msgs.msg import Header

from mdepth_ros.engine.frames import DepthEstimate
from mdepth_ros.errors import MdepthError

# REP 103: from the optical frame (x right, y down, z forward) to x forward, y left, z up.
BODY_OPTICAL = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]], dtype=np.float64)
# Nobody measured it, and consumers refuse zeros: 10 cm, 0.1 rad.
VARIANCE = 0.01


def tf_message_type() -> Any:
    """
    Find tf2_msgs/TFMessage, which a bare set of ROS wheels does not have.

    :raises MdepthError: if it is not installed.
    """
    try:
        return importlib.import_module('tf2_msgs.msg').TFMessage
    except ImportError as error:
        raise MdepthError(f'odometry.publish_tf needs the package tf2_msgs: {error}') from error


class CameraPath:
    """The camera's pose in the odometry frame, which starts at the first image that was wanted."""

    def __init__(self) -> None:
        self._T_odom_camera = np.eye(4)
        self._T_odom_camera[:3, :3] = BODY_OPTICAL
        self._twist = np.zeros(6)

    def add(self, estimate: DepthEstimate) -> None:
        """Append one motion; without one the camera is taken to stand still."""
        self._twist = np.zeros(6)
        if estimate.T_previous_target is None or estimate.previous_stamp_ns is None:
            return
        T = estimate.T_previous_target.cpu().double().numpy()
        elapsed_s = (estimate.stamp_ns - estimate.previous_stamp_ns) * 1e-9
        self._T_odom_camera = self._T_odom_camera @ T
        # Rounding of many products would let the rotation shear.
        u, _, vt = np.linalg.svd(self._T_odom_camera[:3, :3])
        self._T_odom_camera[:3, :3] = u @ vt
        R, t = T[:3, :3], T[:3, 3]
        self._twist = np.concatenate([R.T @ t, _rotation_vector(R)]) / elapsed_s

    def odometry(self, header: Header, frame_id: str) -> Odometry:
        """
        Return the pose now.

        :param header: header of the image; its frame becomes child_frame_id.
        :param frame_id: name of the odometry frame.
        """
        message = Odometry(child_frame_id=header.frame_id)
        message.header.stamp = header.stamp
        message.header.frame_id = frame_id
        x, y, z = self._T_odom_camera[:3, 3].tolist()
        message.pose.pose.position.x = x
        message.pose.pose.position.y = y
        message.pose.pose.position.z = z
        message.pose.pose.orientation = quaternion(self._T_odom_camera[:3, :3])
        linear, angular = self._twist[:3].tolist(), self._twist[3:].tolist()
        message.twist.twist.linear = Vector3(**dict(zip('xyz', linear)))
        message.twist.twist.angular = Vector3(**dict(zip('xyz', angular)))
        message.pose.covariance = (VARIANCE * np.eye(6)).ravel()
        message.twist.covariance = (VARIANCE * np.eye(6)).ravel()
        return message


def transform_of(odometry: Odometry) -> TransformStamped:
    """Return the transform that says the same as an odometry message."""
    transform = TransformStamped(header=odometry.header, child_frame_id=odometry.child_frame_id)
    position = odometry.pose.pose.position
    transform.transform.translation = Vector3(x=position.x, y=position.y, z=position.z)
    transform.transform.rotation = odometry.pose.pose.orientation
    return transform


def quaternion(R: NDArray[np.float64]) -> Quaternion:
    """Convert a (3, 3) rotation."""
    vector = _rotation_vector(R)
    angle = float(np.linalg.norm(vector))
    # sin(angle / 2) / angle, which is np.sinc without its pi.
    x, y, z = (vector * 0.5 * np.sinc(angle / (2 * np.pi))).tolist()
    return Quaternion(x=x, y=y, z=z, w=float(np.cos(angle / 2)))


def _rotation_vector(R: NDArray[np.float64]) -> NDArray[np.float64]:
    """Axis times angle [rad]."""
    vector: NDArray[np.float64] = cv2.Rodrigues(R)[0].ravel()
    return vector
