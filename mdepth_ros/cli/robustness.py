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

"""
``mdepth robustness``: how far a robot can trust the depth, by scene class, camera, rate and event.

The JSON's keys are those of :mod:`mdepth_ros.training.robustness.summary`, and ``weights``,
``size``, ``worlds`` and ``frames_per_world``.
"""

import argparse
import os
from pathlib import Path

from mdepth_ros.cli.argument_types import network_size, positive
from mdepth_ros.cli.engine_arguments import add_device_arguments, add_weights_argument
from mdepth_ros.cli.json_file import add_json_argument, make_place, write_json
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS
from mdepth_ros.training.robustness.bench import Bench
from mdepth_ros.training.robustness.run import PARTS, run_robustness
from mdepth_ros.training.robustness.runs import Recording
from mdepth_ros.training.robustness.table import tables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare the command's arguments.

    :param parser: the parser to fill in.
    """
    add_weights_argument(parser)
    parser.add_argument('--size', type=network_size, default='320x96', metavar='WxH',
                        help="the networks' input size for rendered scenes, multiples of 32")
    parser.add_argument('--worlds', type=positive, default=8, metavar='N',
                        help='rendered worlds of each scene class; half as many for cameras')
    parser.add_argument('--frames-per-world', type=positive, default=20, metavar='N',
                        help='scored frames of each world')
    parser.add_argument('--only', nargs='+', choices=PARTS, default=list(PARTS), metavar='PART',
                        help=f'some of {", ".join(PARTS)}')
    parser.add_argument('--frames', type=Path, metavar='DIR',
                        help='play a frames folder with depth and poses, too')
    parser.add_argument('--first', type=int, default=0, metavar='N', help='its first frame')
    parser.add_argument('--last', type=int, metavar='N',
                        help='its last frame, itself included; by default the end')
    add_device_arguments(parser)
    parser.add_argument('--processes', type=positive, default=len(os.sched_getaffinity(0)),
                        metavar='N', help='runs at once')
    add_json_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """
    Measure.

    :param arguments: the parsed command line.
    :return: 0.
    :raises MdepthError: if weights, data or a place to write to are of no use.
    """
    if arguments.frames is None and (arguments.first, arguments.last) != (0, None):
        raise MdepthError('--first and --last choose among --frames, which is not given')
    # Before the long part, so that its result has a place to go.
    make_place(arguments.json)
    weights = arguments.weights or DEFAULT_WEIGHTS
    width, height = arguments.size
    bench = Bench(weights, width, height, arguments.frames_per_world, arguments.device,
                  arguments.backend)
    summary = run_robustness(
        bench, arguments.worlds, arguments.only,
        None if arguments.frames is None
        else Recording(arguments.frames, arguments.first, arguments.last), arguments.processes)
    cameras = '; half as many of cameras, at own sizes' if 'cameras' in arguments.only else ''
    print(f'{weights} at {width}x{height}, {arguments.worlds} worlds of '
          f'{arguments.frames_per_world} frames per class{cameras}\n\n{tables(summary)}',
          flush=True)
    if arguments.json is not None:
        write_json(arguments.json, summary | {
            'weights': str(weights), 'size': f'{width}x{height}', 'worlds': arguments.worlds,
            'frames_per_world': arguments.frames_per_world})
    return 0
