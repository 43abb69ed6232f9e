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

"""``mdepth soak``: run the node for as long as asked, under load, and judge whether it lasts."""

import argparse
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
import tempfile

from mdepth_ros.cli.argument_types import positive, positive_number
from mdepth_ros.cli.json_file import add_json_argument, make_place, write_json
from mdepth_ros.cli.node_arguments import (
    add_bag_arguments,
    add_node_arguments,
    bag_material,
    node_choice,
)
from mdepth_ros.cli.played.material import Material, material_from_source
from mdepth_ros.cli.played.source import synthetic_source
from mdepth_ros.cli.soak.report import judge
from mdepth_ros.cli.soak.session import Plan, run_soak
from mdepth_ros.cli.stop_signals import stop_signals
from mdepth_ros.cli.unused_arguments import CAMERA, refuse, TOPICS
from mdepth_ros.whole_file import write_whole

# Of the made-up drive: ten seconds of a camera of 30 Hz.
FRAMES, FPS = 300, 30.0
# Every output is to be published, and no count lost with the last second before a restart.
PARAMETERS = ('clearing.enabled:=true', 'diagnostics.rate:=10.0')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare the command's arguments.

    :param parser: the parser to fill in.
    """
    parser.add_argument('bag', type=Path, nargs='?',
                        help='a bag: ROS 1 .bag, sqlite3 or mcap; a made-up drive without')
    add_bag_arguments(parser)
    parser.add_argument('--minutes', type=positive_number, default=60.0, help='how long')
    parser.add_argument('--rate-hz', type=positive_number, default=30.0,
                        help="images per second, whatever the bag's own rate")
    parser.add_argument('--jump-back', action='store_true',
                        help='let the stamps jump back at every turn of the bag; they go on '
                        'otherwise')
    parser.add_argument('--restarts', type=positive, default=20,
                        help='times that the node is deactivated, cleaned up and started again')
    parser.add_argument('--visits', type=positive, default=100,
                        help='subscribers that come, listen to every output and leave')
    parser.add_argument('--frames', type=positive,
                        help=f'images of the made-up drive; {FRAMES} if missing')
    add_node_arguments(parser)
    add_json_argument(parser, "write the numbers there, and the node's log to FILE.log")


def run(arguments: argparse.Namespace) -> int:
    """
    Run the node and judge it; Ctrl-C ends the run early, and what was seen is judged.

    :param arguments: the parsed command line.
    :return: 0 if every criterion holds, otherwise 1; 130 if all hold that an interrupted run has.
    :raises MdepthError: if it cannot run.
    """
    # Before the long part, so that its result has a place to go.
    make_place(arguments.json)
    if arguments.bag is None:
        refuse(arguments, 'a bag', *TOPICS, *CAMERA)
    else:
        refuse(arguments, 'the made-up drive', 'frames')
    node = node_choice(arguments)
    node = replace(node, parameters=(*PARAMETERS, *node.parameters))
    plan = Plan(60 * arguments.minutes, arguments.rate_hz, arguments.restarts, arguments.visits,
                arguments.jump_back)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='mdepth_soak_')))
        log = folder / 'node.log'
        if arguments.json is not None:
            log = arguments.json.with_name(f'{arguments.json.name}.log')
            write_whole(log, b'')
        material = _material(arguments, folder)
        print(f'{arguments.minutes:g} minutes of {material.name} at {arguments.rate_hz:g} Hz',
              flush=True)
        stopped = stack.enter_context(stop_signals())
        report = judge(run_soak(material, node, plan, log, folder / 'log', stopped))
        interrupted = stopped()
    print(report.text() + ('\ninterrupted: the rest of the run was not seen' if interrupted
                           else ''), flush=True)
    if arguments.json is not None:
        write_json(arguments.json, {
            'material': material.name, 'plan': asdict(plan), 'interrupted': interrupted,
            **report.numbers()})
    return (130 if interrupted else 0) if report.passed else 1


def _material(arguments: argparse.Namespace, folder: Path) -> Material:
    """Find or make what is played."""
    if arguments.bag is not None:
        return bag_material(arguments)
    return material_from_source(synthetic_source(arguments.frames or FRAMES, fps=FPS), folder)
