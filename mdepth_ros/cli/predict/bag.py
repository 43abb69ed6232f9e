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

"""A recording of what was predicted, as rviz, Foxglove and rerun open it."""

from pathlib import Path
from typing import Any, Literal

from mdepth_ros.cli.predict.frame import PredictedFrame
from mdepth_ros.errors import writing
from mdepth_ros.messages import outgoing
from mdepth_ros.messages.bag import ros2_types
import numpy as np
from rosbags.interfaces import Connection
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

ImageKind = Literal['jpeg', 'raw']
ODOMETRY_FRAME = 'mdepth_odom'


class Recording:
    """
    An mcap bag with images, depth, clouds and the camera's path.

    The images are undistorted and of the depth's size, so that ``camera/camera_info`` holds for
    both; stamps and frames are those of the input.

    :param bag: folder to create.
    :param images: whether they are compressed.
    """

    def __init__(self, bag: Path, images: ImageKind) -> None:
        self._bag, self._images = bag, images
        self._connections: dict[str, Connection] = {}
        self._count = 0
        self._writer = Writer(bag, version=9, storage_plugin=StoragePlugin.MCAP)
        # Depth and clouds lose a third; all three viewers read it.
        self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        with writing(bag):
            self._writer.open()

    def write(self, frame: PredictedFrame) -> None:
        """Write the messages of a frame."""
        stamp_ns, rendering = frame.estimate.stamp_ns, frame.rendering
        head = outgoing.header(stamp_ns, frame.frame_id)
        in_odometry = outgoing.header(stamp_ns, ODOMETRY_FRAME)
        info = outgoing.camera_info(rendering.camera, head)
        depth = np.ascontiguousarray(rendering.depth, '<f4')
        messages = {
            '/tf': outgoing.transform_message(frame.path, in_odometry, frame.frame_id),
            '/odometry': outgoing.odometry(frame.path, in_odometry, frame.frame_id),
            '/camera/camera_info': info,
            **({'/camera/image/compressed': outgoing.jpeg_image(frame.rgb, head)}
               if self._images == 'jpeg'
               else {'/camera/image': outgoing.raw_image(frame.rgb, 'rgb8', head)}),
            '/depth/camera_info': info,
            '/depth/image': outgoing.raw_image(depth, '32FC1', head),
            '/depth/points': outgoing.cloud(*rendering.navigation_points, head),
        }
        with writing(self._bag):
            for topic, message in messages.items():
                self._write(topic, stamp_ns, message)
        self._count += 1

    def close(self) -> str | None:
        """Complete the bag."""
        with writing(self._bag):
            self._writer.close()
        return f'{self._bag.name}/: mcap of {self._count} frames' if self._count else None

    def _write(self, topic: str, stamp_ns: int, message: Any) -> None:
        """Write one message, at the time of its image."""
        kind = message.__msgtype__
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(topic, kind,
                                                                   typestore=ros2_types())
        self._writer.write(self._connections[topic], stamp_ns,
                           ros2_types().serialize_cdr(message, kind))
