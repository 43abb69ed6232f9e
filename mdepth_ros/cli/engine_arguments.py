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

"""Arguments of the commands that run the engine: which weights, where, and at what size."""

import argparse
from pathlib import Path
from typing import get_args

from mdepth_ros.cli.argument_types import size_or_budget
from mdepth_ros.config import Backend, EngineConfig


def add_weights_argument(parser: argparse.ArgumentParser) -> None:
    """
    Declare which networks.

    :param parser: the parser to fill in.
    """
    parser.add_argument('--weights', type=Path, help="weights file, by default the package's own")


def add_device_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare where and by what the networks run.

    :param parser: the parser to fill in.
    """
    parser.add_argument('--device', default='auto', help='auto, cpu or cuda[:N]')
    parser.add_argument('--backend', choices=get_args(Backend), default='auto',
                        help='what runs the networks')


def add_size_argument(parser: argparse.ArgumentParser) -> None:
    """
    Declare the networks' input size, of images that may be of any size.

    :param parser: the parser to fill in.
    """
    parser.add_argument('--size', type=size_or_budget, metavar='WxH|PIXELS',
                        help="the networks' input size, multiples of 32, or at most so many "
                        f'pixels; by default {EngineConfig().pixel_budget} pixels')
