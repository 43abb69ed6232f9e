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

"""Images of a bag, each with its camera, its odometry and its true depth."""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
import logging
from pathlib import Path
from statistics import median
from typing import Any

from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.camera_choice import CameraChoice
from mdepth_ros.errors import BadCamera, BadImage
from mdepth_ros.messages.bag import find_topics, no_camera_info, open_bag
from mdepth_ros.messages.bag_reader import BagError, BrokenMessageError
from mdepth_ros.messages.camera_info import camera_from_info
from mdepth_ros.messages.depth_images import decode_depth
from mdepth_ros.messages.header import nanoseconds
from mdepth_ros.messages.images import decode_compressed, decode_image
from mdepth_ros.messages.rectified import says_rectified
from mdepth_ros.training.prepare.odometry_pose import OdometryPose, pose_between, pose_of
from mdepth_ros.training.prepare.options import PrepareOptions
from mdepth_ros.training.prepare.readings import Readings
from mdepth_ros.training.prepare.source_image import (
    BAD_CAMERA,
    BROKEN,
    DepthReading,
    NO_CAMERA,
    Rejected,
    SourceImage,
)
import numpy as np
from numpy.typing import NDArray

# How long an image waits for odometry and depth of its time that were received later.
LOOK_AHEAD_NS = 500_000_000
KEEP_NS = 2 * LOOK_AHEAD_NS
MAX_ODOMETRY_GAP_NS = 500_000_000
PERIOD_SAMPLES = 50

Message = Any  # of rosbags, which makes the classes while it reads


class BagSource:
    """
    One camera of a bag.

    :param path: any bag that ``rosbags`` reads.
    :param options: which topics, and the camera where the bag's own is not wanted.
    :raises MdepthError: if it is not a bag, or the camera is not known.
    """

    def __init__(self, path: Path, options: PrepareOptions) -> None:
        self._path = path
        self.name = path.name
        self._reader = open_bag(path)
        try:
            self._topics = find_topics(
                self._reader, options.image_topic, options.camera_info_topic,
                options.odometry_topic, options.depth_topic)
            self._decode = decode_compressed if self._topics.compressed else decode_image
            self._camera = self._given_camera(options)
        except BaseException:
            self._reader.close()
            raise
        self._depth_is_named = options.depth_topic is not None
        self._foreign_depth = False
        self.rectified = says_rectified(self._topics.image)
        self.count = sum(c.msgcount for c in self._reader.connections
                         if c.topic == self._topics.image)

    def images(self) -> Iterator[SourceImage | Rejected]:
        """Return all images in the order of the recording."""
        topics = self._topics
        poses: Readings[OdometryPose] = Readings(KEEP_NS)
        depths: Readings[Message] = Readings(KEEP_NS)
        half_period_ns = self._period_ns() // 2 if topics.depth else 0
        look_ahead_ns = LOOK_AHEAD_NS if topics.depth or topics.odometry else 0
        camera: Camera | Rejected = self._camera or Rejected(NO_CAMERA)
        waiting: deque[tuple[int, Message, SourceImage | Rejected]] = deque()

        def complete(message: Message, image: SourceImage | Rejected) -> SourceImage | Rejected:
            """Add what was received around the image."""
            if isinstance(image, Rejected):
                return image
            around = poses.around(image.stamp_ns, MAX_ODOMETRY_GAP_NS)
            depth = depths.nearest(image.stamp_ns, half_period_ns)
            return replace(
                image, T_odom_base=None if around is None else pose_between(*around),
                read_depth=lambda: None if depth is None else self._read_depth(depth, message))

        for topic, received_ns, message in self._messages():
            while waiting and received_ns - waiting[0][0] >= look_ahead_ns:
                yield complete(*waiting.popleft()[1:])
            if topic == topics.image:
                waiting.append((received_ns, message, self._image(message, camera)))
            elif isinstance(message, Rejected):
                if topic == topics.camera_info and self._camera is None:
                    camera = Rejected(BAD_CAMERA, message.detail)
            elif topic == topics.camera_info:
                camera = self._camera or _camera_of(message)
            elif topic == topics.odometry:
                pose = pose_of(message)
                if pose is not None:
                    poses.add(received_ns, nanoseconds(message.header.stamp), pose)
            else:
                depths.add(received_ns, nanoseconds(message.header.stamp), message)
        for _, message, image in waiting:
            yield complete(message, image)

    def close(self) -> None:
        """Close the bag."""
        self._reader.close()

    def _given_camera(self, options: PrepareOptions) -> Camera | None:
        """Return the camera that the user gave; None for the bag's own."""
        choice = options.camera_choice
        if choice != CameraChoice():
            return choice.camera(*self._size())
        if self._topics.camera_info is None:
            nothing = no_camera_info(self._reader, self._topics.image)
            raise BagError(f'{self._path} has {nothing}: pass '
                           '--camera-info FILE.yaml, or --fov DEG, its horizontal angle of view')
        return None

    def _size(self) -> tuple[int, int]:
        """Width and height of the first image that is whole."""
        for _, _, message in self._messages(self._topics.image):
            if not isinstance(message, Rejected):
                with suppress(BadImage):
                    height, width = self._decode(message).shape[:2]
                    return width, height
        raise BagError(f'{self._path} has no whole image on {self._topics.image}')

    def _messages(self, *topics: str) -> Iterator[tuple[str, int, Message | Rejected]]:
        """Topic, time of reception and message, Rejected if that is broken; of all our topics."""
        ours = self._topics
        wanted = topics or (ours.image, ours.camera_info, ours.odometry, ours.depth)
        connections = [c for c in self._reader.connections if c.topic in wanted]
        for connection, received_ns, raw in self._reader.messages(connections):
            message: Message | Rejected
            try:
                message = self._reader.deserialize(raw, connection.msgtype)
            except BrokenMessageError as error:
                message = Rejected(BROKEN, f'{connection.topic}: {error}')
            yield connection.topic, received_ns, message

    def _image(self, message: Message | Rejected, camera: Camera | Rejected
               ) -> SourceImage | Rejected:
        """Pack an image message with its camera, for later."""
        if isinstance(message, Rejected):
            return message
        if isinstance(camera, Rejected):
            return camera

        def read_rgb() -> NDArray[np.uint8]:
            rgb = self._decode(message)
            if rgb.shape[:2] != (camera.height, camera.width):
                raise BadImage(f'image is {rgb.shape[1]} x {rgb.shape[0]}, its camera info for '
                               f'{camera.width} x {camera.height}')
            return rgb

        return SourceImage(nanoseconds(message.header.stamp), camera, read_rgb,
                           frame_id=message.header.frame_id)

    def _read_depth(self, message: Message, image: Message) -> DepthReading | None:
        """Decode true depth; None where the message is broken, or of another camera."""
        frames = message.header.frame_id, image.header.frame_id
        same = frames[0] == frames[1]
        if not same and all(frames) and not self._depth_is_named:
            if not self._foreign_depth:
                logging.getLogger(__name__).warning(
                    '%s is in the frame %s and the images in %s: left out as that of another '
                    'camera; if it is registered to the images, name it by --depth-topic',
                    self._topics.depth, *frames)
            self._foreign_depth = True
            return None
        with suppress(BadImage):
            return DepthReading(decode_depth(message),
                                same and not says_rectified(self._topics.depth or ''))
        return None

    def _period_ns(self) -> int:
        """Time between two images: the median of the first ones."""
        stamps: list[int] = []
        for _, _, message in self._messages(self._topics.image):
            if not isinstance(message, Rejected):
                stamps.append(nanoseconds(message.header.stamp))
            if len(stamps) == PERIOD_SAMPLES:
                break
        steps = [after - before for before, after in pairwise(stamps) if after > before]
        return int(median(steps)) if steps else 0


def _camera_of(info: Message) -> Camera | Rejected:
    """Read a CameraInfo; what is wrong with it rejects the images that follow."""
    try:
        return camera_from_info(info)
    except BadCamera as error:
        return Rejected(BAD_CAMERA, str(error))
