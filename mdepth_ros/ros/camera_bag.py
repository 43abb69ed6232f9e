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

"""Write a camera's images, CameraInfo and path to a bag, and true depth to another."""

from pathlib import Path
import posixpath
from types import TracebackType

import cv2
from mdepth_ros.engine.camera import Camera
from mdepth_ros.errors import writing
from mdepth_ros.messages.bag import BagTopics, ros2_types
from mdepth_ros.messages.header import OPTICAL_FRAME
from mdepth_ros.messages.serialised import with_stamp
from mdepth_ros.messages.type_names import CAMERA_INFO, IMAGE, ODOMETRY
from mdepth_ros.ros.camera_info import raw_info
from mdepth_ros.ros.header import header_at
from mdepth_ros.ros.messages import bgr_image, metres_image
from mdepth_ros.ros.robot_path import RobotPath
import numpy as np
from numpy.typing import NDArray
from rclpy.serialization import serialize_message
from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer


class _Bag:
    """An mcap bag that is being written; a context manager. MdepthError where the disk is full."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = Writer(path, version=9, storage_plugin=StoragePlugin.MCAP)
        with writing(path):
            self._writer.open()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        with writing(self._path):
            self._writer.close()

    def _topic(self, name: str, kind: str) -> Connection:
        """Announce a topic."""
        return self._writer.add_connection(name, kind, typestore=ros2_types())

    def _put(self, topic: Connection, stamp_ns: int, cdr: bytes) -> None:
        """Write a message."""
        with writing(self._path):
            self._writer.write(topic, stamp_ns, cdr)


class CameraBag(_Bag):
    """
    A bag of one camera.

    :param path: folder to create.
    :param camera: the camera of all images.
    :param image_topic: name of their topic; CameraInfo goes beside it.
    """

    def __init__(self, path: Path, camera: Camera, image_topic: str = '/camera/image') -> None:
        super().__init__(path)
        self.image_count = 0
        self._info = serialize_message(raw_info(camera))
        self._infos = self._topic(
            posixpath.join(posixpath.dirname(image_topic), 'camera_info'), CAMERA_INFO)
        self._images = self._topic(image_topic, IMAGE)
        self._odometry: Connection | None = None
        self._robot = RobotPath()

    def __enter__(self) -> 'CameraBag':
        return self

    @property
    def topics(self) -> BagTopics:
        """Return what it holds."""
        odometry = None if self._odometry is None else self._odometry.topic
        return BagTopics(self._images.topic, False, self._infos.topic, odometry)

    def write(self, stamp_ns: int, rgb: NDArray[np.uint8],
              T_world_camera: NDArray[np.float64] | None = None) -> None:
        """
        Write an image, its CameraInfo and, where the pose is known, odometry.

        :param stamp_ns: stamp of all, and their time in the bag [ns].
        :param rgb: (H, W, 3) uint8.
        :param T_world_camera: (4, 4) pose in optical axes [m].
        """
        if T_world_camera is not None:
            self._odometry = self._odometry or self._topic('/odom', ODOMETRY)
            odometry = self._robot.add(stamp_ns, T_world_camera)
            self._put(self._odometry, stamp_ns, serialize_message(odometry))
        self._put(self._infos, stamp_ns, with_stamp(self._info, stamp_ns))
        image = bgr_image(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR),
                          header_at(stamp_ns, OPTICAL_FRAME))
        self._put(self._images, stamp_ns, serialize_message(image))
        self.image_count += 1


class DepthBag(_Bag):
    """
    A bag of depth images.

    :param path: folder to create.
    :param topic: name of its only topic.
    """

    def __init__(self, path: Path, topic: str) -> None:
        super().__init__(path)
        self.count = 0
        self._depths = self._topic(topic, IMAGE)

    def __enter__(self) -> 'DepthBag':
        return self

    def write(self, stamp_ns: int, depth: NDArray[np.float32]) -> None:
        """
        Write one.

        :param stamp_ns: its stamp and time in the bag [ns].
        :param depth: (H, W) float32 [m].
        """
        message = metres_image(depth, header_at(stamp_ns, OPTICAL_FRAME))
        self._put(self._depths, stamp_ns, serialize_message(message))
        self.count += 1
