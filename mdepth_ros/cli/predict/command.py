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

"""``mdepth predict``: the depth of a whole recording, to look at and to use."""

import argparse
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
import subprocess
import sys
from typing import get_args

from mdepth_ros.cli.argument_types import positive, positive_number
from mdepth_ros.cli.camera_choice import add_camera_arguments
from mdepth_ros.cli.engine_arguments import (
    add_device_arguments,
    add_size_argument,
    add_weights_argument,
)
from mdepth_ros.cli.image_folder import FPS
from mdepth_ros.cli.out_folder import fresh_folder, source_name
from mdepth_ros.cli.predict.bag import ImageKind, Recording
from mdepth_ros.cli.predict.frame import Predictor
from mdepth_ros.cli.predict.outputs import Clouds, DepthArrays, DepthPngs, Fused, Output
from mdepth_ros.cli.predict.run import predict, Selection
from mdepth_ros.cli.predict.source import open_source
from mdepth_ros.cli.predict.summary import Summary
from mdepth_ros.cli.predict.video import DepthVideo
from mdepth_ros.cli.unused_arguments import refuse, refuse_fps, TOPICS
from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.cloud_files import CloudFormat
from mdepth_ros.engine.point_cloud import CloudFilter
from mdepth_ros.engine.rendering import OutputSize, RenderingOptions
from mdepth_ros.errors import MdepthError
from mdepth_ros.messages.bag import is_bag
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS, load_checkpoint
from mdepth_ros.training.prepare.options import PrepareOptions

RESULTS = ('depth', 'clouds', 'recording', 'camera.yaml', 'video.mp4', '.video.partial.mp4',
           'fused.ply', 'summary.json')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare the command's arguments.

    :param parser: the parser to fill in.
    """
    parser.add_argument('source', metavar='SOURCE',
                        help='a bag (ROS 1 .bag, sqlite3, mcap), a video, a folder of images, or '
                        'the number of a camera')
    parser.add_argument('--out', type=Path, metavar='DIR',
                        help='where the results go; out/predict/<source> if missing')
    add_camera_arguments(parser)
    parser.add_argument('--rectified', action='store_true',
                        help='the images are rectified, though their topic does not say so')
    parser.add_argument('--fps', type=positive_number,
                        help=f'of a folder of images without a frames.json; {FPS:g} if missing '
                        '[1/s]')
    parser.add_argument('--first', type=int, default=0, metavar='N', help='first image')
    parser.add_argument('--last', type=int, metavar='N',
                        help='last image, itself included; by default the end')
    parser.add_argument('--every', type=positive, default=1, metavar='N',
                        help='take every N-th image')
    add_weights_argument(parser)
    parser.add_argument('--scale', type=float, default=0.0, metavar='M',
                        help="metres per network unit; 0 is the weights' own")
    add_size_argument(parser)
    add_device_arguments(parser)
    parser.add_argument('--max-depth', type=positive_number, default=80.0, metavar='M',
                        help='farther depth counts as out of range [m]')
    parser.add_argument('--min-confidence', type=float, default=0.5, metavar='C',
                        help='lowest confidence of the points in clouds, in [0, 1]')
    parser.add_argument('--output-size', choices=get_args(OutputSize), default='input',
                        help="size of depth and images: the input's or the network's")
    parser.add_argument('--format', choices=('png', 'npz', 'none'), default='png',
                        help='depth as 16-bit PNG [mm, 0 is invalid], or with the confidence as '
                        'float32 [m]')
    parser.add_argument('--video', action=argparse.BooleanOptionalAction, default=True,
                        help='images and coloured depth side by side')
    parser.add_argument('--fused', action=argparse.BooleanOptionalAction, default=True,
                        help='one cloud of the whole run')
    parser.add_argument('--fused-cell', type=positive_number, default=0.05, metavar='M',
                        help='edge of the cells of which each is a point [m]')
    parser.add_argument('--fused-confidence', type=float, default=0.8, metavar='C',
                        help='lowest confidence of the points that are fused, in [0, 1]')
    parser.add_argument('--fused-range', type=positive_number, default=10.0, metavar='M',
                        help='farthest points that are fused [m]')
    parser.add_argument('--clouds', choices=get_args(CloudFormat),
                        help='a cloud for each frame, too')
    parser.add_argument('--mcap', nargs='?', choices=get_args(ImageKind), const='jpeg',
                        help='a bag for rviz, Foxglove and rerun, too; with such images')
    parser.add_argument('--view', action='store_true',
                        help='open the bag in rerun at the end (needs rerun-sdk)')


def run(arguments: argparse.Namespace) -> int:
    """
    Predict.

    :param arguments: the parsed command line.
    :return: 0.
    :raises MdepthError: if the source, the camera, the weights or the folder are of no use.
    :raises KeyboardInterrupt: when interrupted, after all files have been completed.
    """
    chosen = arguments.out is not None
    arguments.out = arguments.out or Path('out/predict') / source_name(arguments.source)
    _check(arguments)
    config = replace(arguments.size or EngineConfig(), device=arguments.device,
                     backend=arguments.backend, scale=arguments.scale)
    options = RenderingOptions(arguments.output_size, max_depth_m=arguments.max_depth,
                               cloud=_cloud_filter(arguments.max_depth, arguments.min_confidence))
    fused = _cloud_filter(arguments.fused_range, arguments.fused_confidence)
    prepared = PrepareOptions(
        image_topic=arguments.image_topic, camera_info_topic=arguments.camera_info_topic,
        camera_info=arguments.camera_info, fov_deg=arguments.fov)
    weights = arguments.weights or DEFAULT_WEIGHTS
    selection = Selection(arguments.first, arguments.last, arguments.every)
    with closing(open_source(arguments.source, prepared, arguments.fps or FPS)) as source:
        if source.count and not selection.count(source.count):
            raise MdepthError(f'{arguments.source} has {source.count} images, there is none from '
                              f'--first {arguments.first} on')
        predictor = Predictor(load_checkpoint(weights), config, options,
                              source.rectified or arguments.rectified)
        # Two recordings may have the same name: a folder that nobody chose is no other one's.
        with fresh_folder(arguments.out, 'predict', RESULTS,
                          str(Path(arguments.source).resolve()), chosen):
            summary = Summary()
            try:
                predict(source, selection, predictor, _outputs(arguments, fused), summary)
            finally:
                # What was predicted before an interruption or a broken source is there to be used.
                estimator = predictor.estimator
                summary.write(arguments.out / 'summary.json', {
                    'source': arguments.source, 'weights': str(weights),
                    'device': str(estimator.device), 'backend': estimator.backend})
                print(summary.text(arguments.out), flush=True)
    summary.require_a_frame(arguments.source)
    if arguments.view:
        subprocess.run([sys.executable, '-m', 'rerun',
                        *map(str, (arguments.out / 'recording').glob('*.mcap'))], check=False)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse values that cannot work before anything is opened."""
    if not arguments.scale >= 0:
        raise MdepthError(f'--scale must be >= 0, got {arguments.scale}')
    if arguments.first < 0 or (arguments.last is not None and arguments.last < arguments.first):
        raise MdepthError(f'need 0 <= --first <= --last, '
                          f'got {arguments.first} and {arguments.last}')
    if not is_bag(Path(arguments.source)):
        refuse(arguments, 'bags', *TOPICS)
    refuse_fps(arguments, Path(arguments.source))
    source, out = Path(arguments.source).resolve(), arguments.out.resolve()
    if out in (source, *source.parents):
        raise MdepthError(f'--out {arguments.out} holds the source; choose another folder')
    if arguments.view and find_spec('rerun') is None:
        raise MdepthError('--view needs rerun, which is not installed: pip install rerun-sdk')


def _cloud_filter(max_range: float, min_confidence: float) -> CloudFilter:
    """All pixels that are near and confident."""
    try:
        return CloudFilter(stride=1, max_range=max_range, min_confidence=min_confidence)
    except ValueError as error:
        raise MdepthError(str(error)) from error


def _outputs(arguments: argparse.Namespace, fused: CloudFilter) -> list[Output]:
    """Return what the user wants."""
    out: Path = arguments.out
    outputs: list[Output] = []
    if arguments.format != 'none':
        outputs.append(DepthPngs(out) if arguments.format == 'png' else DepthArrays(out))
    if arguments.video:
        outputs.append(DepthVideo(out / 'video.mp4'))
    if arguments.clouds:
        outputs.append(Clouds(out, arguments.clouds))
    if arguments.fused:
        outputs.append(Fused(out / 'fused.ply', arguments.fused_cell, fused))
    if arguments.mcap or arguments.view:
        outputs.append(Recording(out / 'recording', arguments.mcap or 'jpeg'))
    return outputs
