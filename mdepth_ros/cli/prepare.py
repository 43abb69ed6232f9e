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

"""``mdepth prepare``: bags and videos to folders of rectified frames for training."""

import argparse
from pathlib import Path

from mdepth_ros.cli.argument_types import positive
from mdepth_ros.cli.camera_choice import add_camera_arguments
from mdepth_ros.training.prepare.options import PrepareOptions
from mdepth_ros.training.prepare.prepare import prepare


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare the command's arguments.

    :param parser: the parser to fill in.
    """
    default = PrepareOptions()
    parser.add_argument('sources', nargs='+', type=Path, metavar='SOURCE',
                        help='a bag (ROS 1, sqlite3, mcap; file or folder) or a video file')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR',
                        help='folder to fill; given again, an interrupted run goes on')
    add_camera_arguments(parser)
    parser.add_argument('--odometry-topic', help='which odometry of the bag')
    parser.add_argument('--depth-topic', help='true depth of the images, for evaluation')
    parser.add_argument('--width', type=int, default=default.width, metavar='W',
                        help='shrink images to this width at most, 0 keeps their size [px]')
    parser.add_argument('--png', action='store_true', help='write PNG instead of JPEG')
    parser.add_argument('--rectified', action='store_true',
                        help='the images are rectified already, whatever their topic is called')
    parser.add_argument('--max-gap', type=float, default=default.max_gap_s, metavar='S',
                        help='a longer pause starts a new sequence [s]')
    parser.add_argument('--every', type=positive, default=default.every, metavar='N',
                        help='take every N-th image')
    parser.add_argument('--keep-static', action='store_true',
                        help='keep images that show no motion')


def run(arguments: argparse.Namespace) -> int:
    """
    Prepare the recordings.

    :param arguments: the parsed command line.
    :return: 0.
    :raises MdepthError: if it cannot be done, or nothing is left of a recording.
    """
    options = PrepareOptions(
        image_topic=arguments.image_topic, camera_info_topic=arguments.camera_info_topic,
        odometry_topic=arguments.odometry_topic, depth_topic=arguments.depth_topic,
        camera_info=arguments.camera_info, fov_deg=arguments.fov, width=arguments.width,
        png=arguments.png, rectified=arguments.rectified, max_gap_s=arguments.max_gap,
        every=arguments.every, keep_static=arguments.keep_static)
    report = prepare(arguments.sources, arguments.out, options)
    print(report.text())
    return 0
