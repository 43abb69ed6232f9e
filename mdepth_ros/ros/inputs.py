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

"""The newest image and its camera: what the callbacks leave for the worker."""

from collections import OrderedDict
from dataclasses import dataclass
import threading
import time

from mdepth_ros.engine.camera import Camera
from mdepth_ros.errors import BadCamera
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image

ImageMessage = Image | CompressedImage
# CameraInfo messages that are kept for exact stamps.
REMEMBERED = 32


@dataclass(frozen=True)
class OdometryReading:
    """Where the robot was: stamp [ns] and (3,) position [m]."""

    stamp_ns: int
    position: NDArray[np.float64]


class NewestImage:
    """A slot for one image: the newest wins, the replaced are counted."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._message: ImageMessage | None = None
        self._arrived_s = 0.0
        self._closed = False
        self.enabled = True
        self.received = 0
        self.replaced = 0

    def put(self, message: ImageMessage) -> None:
        """Leave an image, in place of one that nobody took."""
        if not self.enabled:
            return
        with self._changed:
            self.received += 1
            self.replaced += self._message is not None
            self._message, self._arrived_s = message, time.monotonic()
            self._changed.notify()

    def take(self) -> tuple[ImageMessage, float] | None:
        """Wait for an image and when it came (monotonic) [s]; None once the slot is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._message is not None)
            if self._closed:
                return None
            message, self._message = self._message, None
            assert message is not None
            return message, self._arrived_s

    def close(self) -> None:
        """Send whoever waits home."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class CameraCache:
    """The camera of each image: the one of its very stamp, else the latest one."""

    def __init__(self, exact_stamp: bool, topic: str, timeout_s: float) -> None:
        """
        Start without any camera.

        :param exact_stamp: whether the stamps of image and CameraInfo must agree.
        :param topic: name of the CameraInfo topic, for errors.
        :param timeout_s: how long an image waits for its CameraInfo, which may come later [s].
        """
        self._exact_stamp = exact_stamp
        self._topic = topic
        self._timeout_s = timeout_s
        self._changed = threading.Condition()
        self._closed = False
        self._latest: Camera | None = None
        self._refused = ''
        self._latest_ns = 0
        self._count = 0
        self._by_stamp: OrderedDict[int, Camera] = OrderedDict()

    def put(self, stamp_ns: int, camera: Camera) -> None:
        """Remember a camera."""
        with self._changed:
            if camera != self._latest:
                self._latest = camera
            self._refused = ''
            self._by_stamp[stamp_ns] = self._latest
            self._latest_ns = stamp_ns
            self._count += 1
            while len(self._by_stamp) > REMEMBERED:
                self._by_stamp.popitem(last=False)
            self._changed.notify_all()

    def refuse(self, reason: str) -> None:
        """Forget all cameras: what comes now cannot be used, and the old one may be wrong."""
        with self._changed:
            self._latest, self._refused = None, reason
            self._by_stamp.clear()

    def camera_of(self, stamp_ns: int, width: int, height: int) -> Camera | None:
        """
        Find the camera of an image, waiting for it.

        :return: the camera; None once the cache is closed.
        :raises BadCamera: if none comes in time, none of this stamp, or it has another size.
        """
        def candidate() -> Camera | None:
            return self._by_stamp.get(stamp_ns, None if self._exact_stamp else self._latest)

        def fits() -> bool:
            camera = candidate()
            return camera is not None and (camera.width, camera.height) == (width, height)

        def passed_by() -> bool:
            # They come in order: after a later one ours is lost, and waiting costs frames.
            return self._exact_stamp and self._count > before and self._latest_ns > stamp_ns

        with self._changed:
            before = self._count
            self._changed.wait_for(lambda: self._closed or fits() or passed_by(),
                                   self._timeout_s)
            if self._closed:
                return None
            fitting, camera, latest = fits(), candidate(), self._latest
        if fitting:
            return camera
        if latest is None:
            raise BadCamera(self._refused
                            or f'images come, but no usable CameraInfo on {self._topic}')
        if camera is None:
            raise BadCamera(f'no CameraInfo with the stamp of the image on {self._topic}, and '
                            f'camera_info.exact_stamp asks for one')
        raise BadCamera(f'the image is {width} x {height}, but the CameraInfo on {self._topic} is '
                        f'for {camera.width} x {camera.height}')

    def close(self) -> None:
        """Send whoever waits home."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
