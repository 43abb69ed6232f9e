"""
``mdepth robustness``: how far a robot can trust the depth, by scene class, camera, rate and event.

The JSON's keys are those of :mod:`mdepth_ros.training.robustness.summary`, and ``weights``,
``size``, ``worlds`` and ``frames_per_world``.
"""

import argparse
import json
import os
import re
from pathlib import Path
from typing import get_args

from mdepth_ros.cli.argument_types import positive
from mdepth_ros.config import Backend, EngineConfig
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS
from mdepth_ros.training.robustness.bench import Bench
from mdepth_ros.training.robustness.run import PARTS, run_robustness
from mdepth_ros.training.robustness.table import tables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare the command's arguments.

    :param parser: the parser to fill in.
    """
    parser.add_argument('--weights', type=Path, help="weights file, by default the package's own")
    parser.add_argument('--size', type=_size, default=(320, 96), metavar='WxH',
                        help="the networks' input size for rendered scenes, multiples of 32")
    parser.add_argument('--worlds', type=positive, default=6, metavar='N',
                        help='rendered worlds of each scene class; half as many for rates, '
                        'events and cameras')
    parser.add_argument('--frames-per-world', type=positive, default=20, metavar='N',
                        help='scored frames of each world')
    parser.add_argument('--only', nargs='+', choices=PARTS, default=list(PARTS), metavar='PART',
                        help=f'some of {", ".join(PARTS)}')
    parser.add_argument('--frames', type=Path, metavar='DIR',
                        help='play a frames folder with depth and poses, too')
    parser.add_argument('--first', type=int, default=0, metavar='N', help='its first frame')
    parser.add_argument('--last', type=int, metavar='N',
                        help='its last frame, itself included; by default the end')
    parser.add_argument('--device', default='auto', help='auto, cpu or cuda[:N]')
    parser.add_argument('--backend', choices=get_args(Backend), default='auto',
                        help='what runs the networks')
    parser.add_argument('--processes', type=positive, default=len(os.sched_getaffinity(0)),
                        metavar='N', help='runs at once')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the numbers there')


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
    if arguments.json is not None:
        if arguments.json.is_dir():
            raise MdepthError(f'--json {arguments.json} is a folder, give a file')
        try:
            arguments.json.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MdepthError(
                f'cannot make the folder {arguments.json.parent}: {error.strerror}') from error
    weights = arguments.weights or DEFAULT_WEIGHTS
    width, height = arguments.size
    bench = Bench(weights, width, height, arguments.frames_per_world, arguments.device,
                  arguments.backend)
    summary = run_robustness(
        bench, arguments.worlds, arguments.only,
        None if arguments.frames is None
        else (arguments.frames, arguments.first, arguments.last), arguments.processes)
    print(f'{weights} at {width}x{height}, {arguments.worlds} worlds of '
          f'{arguments.frames_per_world} frames per class\n\n{tables(summary)}', flush=True)
    if arguments.json is not None:
        report = summary | {'weights': str(weights), 'size': f'{width}x{height}',
                            'worlds': arguments.worlds,
                            'frames_per_world': arguments.frames_per_world}
        arguments.json.write_text(json.dumps(report, indent=2) + '\n', encoding='utf-8')
    return 0


def _size(text: str) -> tuple[int, int]:
    """Read WxH."""
    match = re.fullmatch(r'(\d+)x(\d+)', text)
    if match is None:
        raise argparse.ArgumentTypeError(f'must be WxH, got {text!r}')
    width, height = int(match[1]), int(match[2])
    try:
        EngineConfig(width=width, height=height)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return width, height
