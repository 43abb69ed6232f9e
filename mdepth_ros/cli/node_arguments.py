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

"""Arguments of the commands that play a bag into the node: which bag, and how the node starts."""

import argparse

from mdepth_ros.cli.camera_choice import add_camera_arguments
from mdepth_ros.cli.driven_node import NodeChoice
from mdepth_ros.cli.engine_arguments import add_weights_argument
from mdepth_ros.cli.played.material import Material, material_from_bag
from mdepth_ros.engine.camera_choice import CameraChoice
from mdepth_ros.errors import MdepthError


def add_bag_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare what says more about the material.

    :param parser: the parser to fill in; the command itself declares ``bag``.
    """
    add_camera_arguments(parser)
    parser.add_argument('--odometry-topic', help='which odometry of the bag')


def add_node_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare how the node starts.

    :param parser: the parser to fill in.
    """
    add_weights_argument(parser)
    parser.add_argument('--param', action='append', default=[], metavar='NAME:=VALUE',
                        help='parameter of the node; may be repeated')


def bag_material(arguments: argparse.Namespace) -> Material:
    """
    Look into the bag.

    :param arguments: the parsed command line, with a bag.
    :return: what to play.
    :raises MdepthError: if something is missing, and what to pass.
    """
    return material_from_bag(
        arguments.bag, CameraChoice(arguments.camera_info, arguments.fov), arguments.image_topic,
        arguments.camera_info_topic, arguments.odometry_topic)


def node_choice(arguments: argparse.Namespace) -> NodeChoice:
    """
    Read how the node starts.

    :param arguments: the parsed command line.
    :return: the choice.
    :raises MdepthError: if there is no such weights file.
    """
    if arguments.weights is not None and not arguments.weights.is_file():
        raise MdepthError(f'no weights file at {arguments.weights}')
    return NodeChoice(arguments.weights, arguments.param)
