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

"""The camera of material that does not say what camera it is from."""

from dataclasses import dataclass
from pathlib import Path

from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.camera_yaml import read_camera_yaml
from mdepth_ros.errors import MdepthError


@dataclass(frozen=True)
class CameraChoice:
    """What the user said about the camera: a file, an angle of view [deg], or neither."""

    file: Path | None = None
    fov_deg: float | None = None

    def camera(self, width: int, height: int) -> Camera | None:
        """
        Return the camera of images of this size, or None if the user said nothing.

        :param width: image width [px].
        :param height: image height [px].
        :raises MdepthError: if the file is not usable or is for another size.
        """
        if self.file is not None:
            camera = read_camera_yaml(self.file)
            if (camera.width, camera.height) != (width, height):
                raise MdepthError(f'{self.file} is for {camera.width} x {camera.height}, '
                                  f'the images are {width} x {height}')
            return camera
        return None if self.fov_deg is None else Camera.from_fov(width, height, self.fov_deg)

    def required(self, what: str, width: int, height: int) -> Camera:
        """Return the camera; MdepthError where the user must name one."""
        camera = self.camera(width, height)
        if camera is None:
            raise MdepthError(f'{what} does not say what camera it is from: pass --fov DEG, its '
                              'horizontal angle of view, or --camera-info FILE.yaml')
        return camera
