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

"""Which camera of a bag, and what camera it is where the material does not say."""

import argparse
from pathlib import Path


def add_camera_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare which camera of a bag, and what camera it is where the material does not say.

    :param parser: the parser to fill in.
    """
    camera = parser.add_mutually_exclusive_group()
    camera.add_argument('--camera-info', type=Path, metavar='YAML',
                        help="file of camera_calibration, instead of the material's CameraInfo")
    camera.add_argument('--fov', type=float, metavar='DEG',
                        help='horizontal angle of view instead, only roughly right [deg]')
    parser.add_argument('--image-topic', help='which images of the bag')
    parser.add_argument('--camera-info-topic', help='which CameraInfo of the bag')
