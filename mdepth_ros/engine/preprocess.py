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

"""From a camera image to the network's input: resize or rectify, with K in step."""

import math
from typing import Any

import cv2
from mdepth_ros.engine.camera import (
    Camera,
    COEFFICIENTS,
    Matrix,
    resize_matrix,
    resized_camera,
)
from mdepth_ros.engine.frames import require_image_of
from mdepth_ros.engine.lens_reach import within_reach
from mdepth_ros.errors import BadCamera
from mdepth_ros.networks.shapes import STRIDE
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

MIN_SIDE = 64
# Worth of an unused share of the budget, against the same share of squeezed aspect.
UNUSED_WEIGHT = 0.25
# No camera is beyond these, and single precision is exact enough between them.
LEAST_FOCAL, MOST_PX = 1e-3, 1e9


def network_size(width: int, height: int, pixel_budget: int) -> tuple[int, int]:
    """
    Choose the network's input size: the image's aspect, most of the budget.

    :param width: image width [px].
    :param height: image height [px].
    :param pixel_budget: most pixels of the input; 640 x 192 is 122880. Only the smallest size,
        64 x 64, may exceed it.
    :return: (width, height), multiples of 32, each at least 64.
    :raises ValueError: if an argument is not positive.
    """
    if width <= 0 or height <= 0 or pixel_budget <= 0:
        raise ValueError(f'width, height and pixel_budget must be > 0, '
                         f'got {width}, {height} and {pixel_budget}')
    aspect = width / height
    best, best_cost = (MIN_SIDE, MIN_SIDE), math.inf
    for h in range(MIN_SIDE, max(pixel_budget // MIN_SIDE, MIN_SIDE) + 1, STRIDE):
        most = pixel_budget // h // STRIDE * STRIDE
        wanted = h * aspect / STRIDE
        for w in (math.floor(wanted) * STRIDE, math.ceil(wanted) * STRIDE):
            w = max(min(w, most), MIN_SIDE)
            if w * h > pixel_budget:
                continue
            cost = abs(math.log(w / h / aspect)) + UNUSED_WEIGHT * math.log(pixel_budget / (w * h))
            if cost < best_cost:
                best, best_cost = (w, h), cost
    return best


class Preprocessor:
    """
    Make the network's input from camera images of one camera.

    :param camera: camera of the images.
    :param network_width: width of the result [px].
    :param network_height: height of the result [px].
    :param rectify: True for raw images, which are undistorted; False for rectified ones.
    :raises BadCamera: if it is to undistort by a model that it does not know, or if its intrinsics
        are no camera's.
    :ivar camera: camera of the result, without distortion.
    :ivar K: (3, 3) float32 intrinsics of the result [px].
    :ivar valid: (1, 1, h, w) bool, False where a rectified pixel lies outside the raw image or
        beyond the reach of its lens model.
    """

    def __init__(
        self, camera: Camera, network_width: int, network_height: int, rectify: bool
    ) -> None:
        self.camera = resized_camera(camera, network_width, network_height)
        _refuse_extreme(self.camera.K)
        self.K = torch.tensor(self.camera.K, dtype=torch.float32)
        self.valid = torch.ones(1, 1, network_height, network_width, dtype=torch.bool)
        self._raw = camera
        self._maps: tuple[NDArray[Any], NDArray[Any]] | None = None
        self._shrunk = (camera.width, camera.height)
        if rectify:
            if not camera.can_undistort:
                raise BadCamera(
                    f'cannot undistort: unknown distortion_model {camera.distortion_model!r}, '
                    f'known are {sorted(COEFFICIENTS)}; give rectified images instead')
            self._prepare_maps(camera)

    def __call__(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """
        Resize or rectify one image.

        :param rgb: (H, W, 3) uint8 colours at the camera's size.
        :return: (h, w, 3) uint8.
        :raises BadImage: if the image's size or type is not the camera's.
        """
        require_image_of(self._raw, rgb)
        if self._maps is None:
            small = resize(rgb, self.camera.width, self.camera.height)
            return small.copy() if small is rgb else small  # the caller's may change
        # The border repeats: black wedges would look like objects to the network.
        return np.asarray(cv2.remap(resize(rgb, *self._shrunk), *self._maps, cv2.INTER_LINEAR,
                                    borderMode=cv2.BORDER_REPLICATE), np.uint8)

    def _prepare_maps(self, camera: Camera) -> None:
        """Look up where each rectified pixel comes from."""
        # Bilinear lookups alias when they skip pixels, so whole factors are averaged away first;
        # a factor between one and two is left to the lookup, which keeps the image sharp.
        _refuse_extreme(camera.K)
        factor_x = max(1, math.floor(camera.K[0, 0] / self.camera.K[0, 0] + 1e-6))
        factor_y = max(1, math.floor(camera.K[1, 1] / self.camera.K[1, 1] + 1e-6))
        self._shrunk = (max(1, round(camera.width / factor_x)),
                        max(1, round(camera.height / factor_y)))
        K = resize_matrix(camera.K, self._shrunk[0] / camera.width,
                          self._shrunk[1] / camera.height)
        size = (self.camera.width, self.camera.height)
        if camera.distortion_model == 'equidistant':
            x, y = cv2.fisheye.initUndistortRectifyMap(
                K, camera.distortion, camera.R, self.camera.K, size, cv2.CV_32FC1)
        else:
            x, y = cv2.initUndistortRectifyMap(
                K, camera.distortion, camera.R, self.camera.K, size, cv2.CV_32FC1)
        inside = ((x >= -0.5) & (x <= self._shrunk[0] - 0.5)
                  & (y >= -0.5) & (y <= self._shrunk[1] - 0.5))
        self.valid = torch.from_numpy(inside & within_reach(camera, self.camera))[None, None]
        # Fixed point, 1/32 px: three times faster.
        whole, fraction = cv2.convertMaps(x, y, cv2.CV_16SC2)
        self._maps = (np.asarray(whole), np.asarray(fraction))


def network_input(rgb: NDArray[np.uint8], device: torch.device) -> Tensor:
    """
    Bring an image into the networks' form, on their device.

    :param rgb: (H, W, 3) uint8 colours.
    :param device: where the networks run.
    :return: (1, 3, H, W) float32 in [0, 1].
    """
    planes = torch.from_numpy(rgb).to(device).permute(2, 0, 1).contiguous()
    return planes.unsqueeze(0).to(torch.float32).div_(255.0)


def _refuse_extreme(K: Matrix) -> None:
    """Refuse intrinsics that overflow on their way through float32 and its inverses."""
    if K.diagonal()[:2].min() < LEAST_FOCAL or np.abs(K).max() > MOST_PX:
        raise BadCamera(f'focal lengths must be at least {LEAST_FOCAL:g} px and intrinsics at '
                        f'most {MOST_PX:g} px, got {K.tolist()}')


def resize(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """
    Resize with area averages where it shrinks and bilinearly where it grows.

    :param rgb: (h, w, 3) image.
    :param width: wanted width [px].
    :param height: wanted height [px].
    :return: (height, width, 3); the same array where it has that size.
    """
    H, W = rgb.shape[:2]
    shrunk = (min(width, W), min(height, H))
    if shrunk != (W, H):
        rgb = np.asarray(cv2.resize(rgb, shrunk, interpolation=cv2.INTER_AREA), np.uint8)
    if shrunk != (width, height):
        rgb = np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_LINEAR),
                         np.uint8)
    return rgb
