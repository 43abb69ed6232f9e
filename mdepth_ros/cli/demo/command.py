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

"""``mdepth demo``: the real node in its own process, on a bag, a video or a made-up drive."""

import argparse
from pathlib import Path
import time

from mdepth_ros.cli.argument_types import positive, positive_number
from mdepth_ros.cli.demo.picture import draw_picture
from mdepth_ros.cli.demo.report import make_report
from mdepth_ros.cli.image_folder import FPS
from mdepth_ros.cli.node_arguments import (
    add_bag_arguments,
    add_node_arguments,
    bag_material,
    node_choice,
)
from mdepth_ros.cli.out_folder import fresh_folder
from mdepth_ros.cli.played.material import Material, material_from_source
from mdepth_ros.cli.played.session import run_session
from mdepth_ros.cli.played.source import images_source, Source, synthetic_source, video_source
from mdepth_ros.cli.unused_arguments import CAMERA, refuse, refuse_fps, TOPICS
from mdepth_ros.engine.camera_choice import CameraChoice
from mdepth_ros.errors import MdepthError

# What a run leaves in its folder, and what the next run into it may therefore remove.
RESULTS = ('input', 'truth', 'recording', 'log', 'report.json', 'picture.png')
SYNTHETIC_FRAMES, OWN_FRAMES = 100, 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare the command's arguments.

    :param parser: the parser to fill in.
    """
    material = parser.add_mutually_exclusive_group()
    material.add_argument('--bag', type=Path, help='a bag: ROS 1 .bag, sqlite3 or mcap')
    material.add_argument('--video', type=Path, help='a video file')
    material.add_argument('--images', type=Path,
                          help='a folder of images, with or without a frames.json')
    add_bag_arguments(parser)
    parser.add_argument('--frames', type=positive, metavar='N',
                        help=f'at most so many images; {SYNTHETIC_FRAMES} of the made-up drive, '
                        f'{OWN_FRAMES} of a video or folder, all of a bag')
    parser.add_argument('--fps', type=positive_number,
                        help=f'of a folder of images without a frames.json; {FPS:g} if missing '
                        '[1/s]')
    parser.add_argument('--rate', type=positive_number, default=1.0,
                        help='factor on the playing speed')
    add_node_arguments(parser)
    parser.add_argument('--out', type=Path, default=Path('out/demo'),
                        help='folder for the recording, report.json and picture.png')


def run(arguments: argparse.Namespace) -> int:
    """
    Run the demo.

    :param arguments: the parsed command line.
    :return: 0.
    :raises MdepthError: if it cannot run, or the node ended badly or published no depth.
    """
    started = time.monotonic()

    def say(text: str) -> None:
        print(f'[{time.monotonic() - started:5.1f} s] {text}', flush=True)

    _check(arguments)
    node = node_choice(arguments)
    # Only what can be played takes the place of the last run's results.
    played = _material(arguments)
    with fresh_folder(arguments.out, 'demo', RESULTS):
        material = (played if isinstance(played, Material)
                    else material_from_source(played, arguments.out))
        say(f'playing {material.name} from {material.bag}')
        session = run_session(material, node, arguments.out, rate=arguments.rate,
                              limit=arguments.frames, say=say)
        report = make_report(material, session)
        report.write(arguments.out / 'report.json')
        print(report.table(), flush=True)
        if report.depth_images:
            draw_picture(material, session, arguments.out / 'picture.png')
            say(f'wrote {arguments.out}/picture.png, report.json and recording/ (open it with '
                'rerun, Foxglove or rosbags)')
        session.check()
        return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse values and files that cannot work before anything is started."""
    refuse_fps(arguments, arguments.images)
    if arguments.bag is None:
        refuse(arguments, '--bag', *TOPICS)
        if arguments.video is None and arguments.images is None:
            refuse(arguments, '--bag, --video and --images', *CAMERA)
    elif arguments.out.resolve() in (arguments.bag.resolve(), *arguments.bag.resolve().parents):
        raise MdepthError(f'--out {arguments.out} holds the bag; choose another folder')


def _material(arguments: argparse.Namespace) -> Material | Source:
    """Find what is played: a bag, or what one is made of."""
    choice = CameraChoice(arguments.camera_info, arguments.fov)
    if arguments.bag is not None:
        return bag_material(arguments)
    if arguments.video is not None:
        return video_source(arguments.video, choice, arguments.frames or OWN_FRAMES)
    if arguments.images is not None:
        return images_source(arguments.images, choice, arguments.frames or OWN_FRAMES,
                             arguments.fps or FPS)
    return synthetic_source(arguments.frames or SYNTHETIC_FRAMES)
