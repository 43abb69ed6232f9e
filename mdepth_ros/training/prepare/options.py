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

"""What the user may choose when a recording is prepared."""

from dataclasses import dataclass
import math
from pathlib import Path

from mdepth_ros.engine.camera_choice import CameraChoice
from mdepth_ros.errors import MdepthError


@dataclass(frozen=True)
class PrepareOptions:
    """
    How recordings become folders of frames.

    Topics are found where they are None. ``camera_info`` is a file that replaces the recording's
    calibration, ``fov_deg`` a horizontal angle of view [deg] that does so roughly. Images are
    shrunk to ``width`` [px] at most, 0 keeps their size. A pause of more than ``max_gap_s`` [s]
    starts a new sequence. Of ``every`` images one is looked at.
    """

    image_topic: str | None = None
    camera_info_topic: str | None = None
    odometry_topic: str | None = None
    depth_topic: str | None = None
    camera_info: Path | None = None
    fov_deg: float | None = None
    width: int = 640
    png: bool = False
    rectified: bool = False
    max_gap_s: float = 1.0
    every: int = 1
    keep_static: bool = False

    def __post_init__(self) -> None:
        problems = []
        if self.camera_info is not None and self.fov_deg is not None:
            problems.append('camera_info and fov_deg exclude each other')
        if self.fov_deg is not None and not 0 < self.fov_deg < 180:
            problems.append(f'fov_deg must be in (0, 180), got {self.fov_deg:g}')
        if self.width != 0 and self.width < 64:
            problems.append(f'width must be 0 or at least 64, got {self.width}')
        if not (self.max_gap_s > 0 and math.isfinite(self.max_gap_s)):
            problems.append(f'max_gap_s must be > 0, got {self.max_gap_s:g}')
        if self.every < 1:
            problems.append(f'every must be at least 1, got {self.every}')
        if problems:
            raise MdepthError('; '.join(problems))

    @property
    def camera_choice(self) -> CameraChoice:
        """What replaces the recording's calibration, if anything does."""
        return CameraChoice(self.camera_info, self.fov_deg)
