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

"""Images and depth at the size and in the pixels that are written."""

import cv2
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.preprocess import Preprocessor
from mdepth_ros.training.prepare.source_image import DepthReading
import numpy as np
from numpy.typing import NDArray


class Rectifier:
    """
    Undistorts and shrinks, as the robot does it.

    :param camera: camera of the images as they arrive.
    :param width: most pixels of a row; 0 keeps the size. Nothing is enlarged.
    :param rectify: True for raw images, which are undistorted; False for rectified ones.
    :raises BadCamera: if it is to undistort by a model that it does not know.
    :ivar camera: camera of the result, without distortion.
    """

    def __init__(self, camera: Camera, width: int, rectify: bool) -> None:
        new_width = min(camera.width, width or camera.width)
        new_height = max(1, round(camera.height * new_width / camera.width))
        self._preprocess = Preprocessor(camera, new_width, new_height, rectify)
        self.camera = self._preprocess.camera
        self._raw = camera
        self._rectify = rectify
        self._maps: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def image(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """
        Bring an image to the result's camera.

        :param rgb: (H, W, 3) uint8 as it arrives.
        :return: (h, w, 3) uint8.
        :raises BadImage: if its size is not the camera's.
        """
        return self._preprocess(rgb)

    def depth(self, reading: DepthReading) -> NDArray[np.float32]:
        """
        Bring depth to the result's camera, each pixel from the nearest one.

        Depth in the raw image's frame and of its size is undistorted like the image. Any other is
        only scaled: right for rectified depth that covers the image's field of view.

        :param reading: depth as it arrives.
        :return: (h, w) float32 [m], NaN where there is none.
        """
        if not (self._rectify and reading.in_image_frame
                and reading.depth.shape == (self._raw.height, self._raw.width)):
            size = (self.camera.width, self.camera.height)
            return np.asarray(cv2.resize(reading.depth, size,
                                         interpolation=cv2.INTER_NEAREST_EXACT), np.float32)
        self._maps = self._maps or self._depth_maps()
        return np.asarray(cv2.remap(reading.depth, *self._maps, cv2.INTER_NEAREST,
                                    borderMode=cv2.BORDER_CONSTANT, borderValue=np.nan),
                          np.float32)

    def _depth_maps(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Look up where each pixel of the result comes from."""
        raw, size = self._raw, (self.camera.width, self.camera.height)
        make = (cv2.fisheye.initUndistortRectifyMap if raw.distortion_model == 'equidistant'
                else cv2.initUndistortRectifyMap)
        x, y = make(raw.K, raw.distortion, raw.R, self.camera.K, size, cv2.CV_32FC1)
        return np.asarray(x), np.asarray(y)
