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

"""Arguments that would change nothing are refused, as their user expects that they do."""

import argparse
from pathlib import Path

from mdepth_ros.errors import MdepthError
from mdepth_ros.messages.bag import is_bag
from mdepth_ros.training.datasets.frames_index import FILE_NAME

TOPICS = ('image_topic', 'camera_info_topic', 'odometry_topic')
CAMERA = ('camera_info', 'fov')


def refuse(arguments: argparse.Namespace, what: str, *names: str) -> None:
    """
    Refuse arguments that are not used.

    :param arguments: the parsed command line.
    :param what: what they are for, for people.
    :param names: those that are not used; ones that the command does not have are left out.
    :raises MdepthError: if one is given.
    """
    for name in names:
        if getattr(arguments, name, None) is not None:
            raise MdepthError(f'--{name.replace("_", "-")} is for {what} alone')


def refuse_fps(arguments: argparse.Namespace, folder: Path | None) -> None:
    """
    Refuse ``--fps`` for what has times of its own.

    :param arguments: the parsed command line.
    :param folder: what images are taken from; None if not from a folder.
    :raises MdepthError: if it is given and not used.
    """
    if (folder is None or not folder.is_dir() or is_bag(folder)
            or (folder / FILE_NAME).is_file()):
        refuse(arguments, 'folders of images without a frames.json', 'fps')
