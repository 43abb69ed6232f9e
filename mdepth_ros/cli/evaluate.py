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

"""``mdepth evaluate``: the errors of single-frame and multi-frame depth, side by side."""

import argparse
from dataclasses import replace
import itertools
from pathlib import Path
from typing import get_args

from mdepth_ros.cli.argument_types import positive
from mdepth_ros.cli.engine_arguments import (
    add_device_arguments,
    add_size_argument,
    add_weights_argument,
)
from mdepth_ros.cli.json_file import add_json_argument, make_place, write_json
from mdepth_ros.cli.out_folder import make_folder
from mdepth_ros.cli.unused_arguments import refuse
from mdepth_ros.config import EngineConfig, Method
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS
from mdepth_ros.training.evaluation.data import choose_stretches, DataChoice
from mdepth_ros.training.evaluation.evaluate import evaluate, EvaluatedFrame
from mdepth_ros.training.evaluation.plots import plot_errors, plot_scale
from mdepth_ros.training.evaluation.protocol import EIGEN_BENCHMARK, PROTOCOLS
from mdepth_ros.training.evaluation.report import json_report, text_report
from mdepth_ros.training.evaluation.samples import draw_samples
from tqdm import tqdm

SAMPLES = 4  # rows of samples.png


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare the command's arguments.

    :param parser: the parser to fill in.
    """
    add_weights_argument(parser)
    parser.add_argument('--data', required=True, metavar='D',
                        help='frames folder, tree of them, KITTI raw, or synthetic[:KIND[:SEEDS]] '
                        'such as synthetic:indoor:880000000-880000002')
    parser.add_argument('--split', choices=list(PROTOCOLS), default='all',
                        help='every frame, or the Eigen test set of KITTI with raw or improved '
                        'ground truth')
    parser.add_argument('--first', type=int, default=0, metavar='N',
                        help='first frame, of data with one sequence')
    parser.add_argument('--last', type=int, metavar='N',
                        help='last frame, itself included; by default the end')
    parser.add_argument('--every', type=positive, default=1, metavar='N',
                        help='take every N-th frame, as from a slower camera')
    parser.add_argument('--kitti-split', type=Path, metavar='FILE',
                        help='frames of the Eigen test set, by default those that come with the '
                             'package')
    parser.add_argument('--benchmark', type=Path, metavar='DIR',
                        help='improved ground truth of KITTI (data_depth_annotated)')
    add_size_argument(parser)
    parser.add_argument('--method', choices=get_args(Method), default=EngineConfig().method,
                        help='how to match: as this package does, or as the paper does')
    add_device_arguments(parser)
    add_json_argument(parser)
    parser.add_argument('--per-frame', action='store_true', help='every frame in the JSON, too')
    parser.add_argument('--plots', type=Path, metavar='DIR',
                        help='write frames.png, scale.png and samples.png there')


def run(arguments: argparse.Namespace) -> int:
    """
    Evaluate.

    :param arguments: the parsed command line.
    :return: 0.
    :raises MdepthError: if weights, data or a place to write to are of no use.
    """
    # Before the long part, so that its result has a place to go.
    make_place(arguments.json)
    if arguments.plots is not None:
        make_folder(arguments.plots)
    if arguments.split != EIGEN_BENCHMARK.name:
        refuse(arguments, f'--split {EIGEN_BENCHMARK.name}', 'benchmark')
    if arguments.per_frame and arguments.json is None:
        raise MdepthError('--per-frame is for --json alone')
    if arguments.split == 'all':
        refuse(arguments, 'the Eigen test set', 'kitti_split')
    protocol = PROTOCOLS[arguments.split]
    stretches = choose_stretches(DataChoice(
        arguments.data, arguments.split, arguments.first, arguments.last, arguments.every,
        arguments.kitti_split, arguments.benchmark))
    weights = arguments.weights or DEFAULT_WEIGHTS
    config = replace(arguments.size or EngineConfig(), device=arguments.device,
                     backend=arguments.backend, method=arguments.method)
    estimator = DepthEstimator.from_checkpoint(weights, config)
    estimator.warm_up()

    count = sum(len(stretch.indices) - stretch.lead for stretch in stretches)
    drawn = {round((n + 0.5) * count / SAMPLES - 0.5) for n in range(SAMPLES)}
    samples: list[EvaluatedFrame] = []
    numbers = itertools.count()
    sizes: set[str] = set()
    with tqdm(total=count, unit=' frames', leave=False, desc='evaluating') as bar:
        def watch(played: EvaluatedFrame) -> None:
            # Not the bar's count, which stands still where bars are disabled.
            if next(numbers) in drawn and arguments.plots is not None:
                samples.append(played)
            sizes.add('{1}x{0}'.format(*played.multi.shape))
            bar.update()

        evaluation = evaluate(estimator, stretches, protocol, watch)

    size = ', '.join(sorted(sizes))
    print(f'{arguments.data}\n{weights} at {size} on {estimator.device} by {estimator.backend}\n'
          f'{protocol}\n')
    print(text_report(evaluation), flush=True)
    if arguments.json is not None:
        write_json(arguments.json, json_report(evaluation, arguments.per_frame) | {
            'data': arguments.data, 'weights': str(weights), 'split': arguments.split,
            'protocol': str(protocol), 'size': size, 'device': str(estimator.device),
            'backend': estimator.backend})
    if arguments.plots is not None:
        if evaluation.rows:
            plot_errors(evaluation.per_frame, arguments.plots / 'frames.png')
            plot_scale(evaluation.per_frame, arguments.plots / 'scale.png')
        draw_samples(samples, protocol, arguments.plots / 'samples.png')
    return 0
