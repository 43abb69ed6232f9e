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

"""Cameras to CameraInfo messages; the way back is ``messages.camera_info``."""

from mdepth_ros.engine.camera import Camera
from mdepth_ros.messages.header import OPTICAL_FRAME
from mdepth_ros.ros.header import copy_of
import numpy as np
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header


def rectified_info(camera: Camera, header: Header) -> CameraInfo:
    """
    Describe a published image, which is undistorted.

    :param camera: camera without distortion, e.g. of :func:`resized_camera`.
    :param header: header of the image, whose stamp and frame are copied.
    :return: K, P, R identity, D of zeros.
    :raises ValueError: if the camera has distortion.
    """
    if camera.has_distortion:
        raise ValueError(f'camera must be undistorted, got {camera.distortion_model} '
                         f'{camera.distortion.tolist()}')
    info = CameraInfo(header=copy_of(header), width=camera.width, height=camera.height,
                      distortion_model='plumb_bob')
    info.d = [0.0] * 5
    info.k = camera.rectified_K().ravel()
    info.r = np.eye(3).ravel()
    info.p = np.hstack([camera.rectified_K(), camera.P[:, 3:]]).ravel()
    return info


def raw_info(camera: Camera) -> CameraInfo:
    """
    Describe the images as they arrive, distortion included.

    :param camera: their camera.
    :return: a CameraInfo without a stamp; P is K where it is not known and not needed.
    """
    info = CameraInfo(width=camera.width, height=camera.height,
                      distortion_model=camera.distortion_model or 'plumb_bob')
    info.header.frame_id = OPTICAL_FRAME
    info.d = camera.distortion.tolist()
    if info.distortion_model == 'plumb_bob' and not info.d:
        info.d = [0.0] * 5  # as drivers write that there is none
    info.k = camera.K.ravel()
    info.r = camera.R.ravel()
    info.p = camera.P.ravel()
    if not camera.P.any() and not camera.has_distortion:
        info.p = np.hstack([camera.K, np.zeros((3, 1))]).ravel()
    return info
