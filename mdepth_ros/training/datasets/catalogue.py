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

"""One door to data on disk: recognise what a path is, and open it."""

import collections.abc
from pathlib import Path

from mdepth_ros.messages.bag import is_bag
from mdepth_ros.training.datasets.frames_folder import find_frames_folders, open_frames
from mdepth_ros.training.datasets.frames_index import FILE_NAME
from mdepth_ros.training.datasets.kitti.drive_id import CAMERAS
from mdepth_ros.training.datasets.kitti.raw import is_kitti, open_kitti
from mdepth_ros.training.datasets.sequence import DataError, Sequence

VIDEO_SUFFIXES = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg')


def open_data(
    path: Path, first: int = 0, end: int | None = None,
    cameras: collections.abc.Sequence[str] = CAMERAS, drop_static: bool = True,
) -> list[Sequence]:
    """
    Open a frames folder, a tree of them, or KITTI raw with all its drives.

    :param path: the folder.
    :param first: of frames folders, the first frame to take, see :func:`open_frames`.
    :param end: of frames folders, the first frame not to take any more; None takes the rest.
    :param cameras: of KITTI, which cameras.
    :param drop_static: of KITTI, leave out the frames at which the car stands.
    :return: the sequences; at least one.
    :raises DataError: if it is none of these, and what to do then; or if it is broken.
    """
    if not path.exists():
        raise DataError(f'no data at {path}')
    if is_kitti(path):
        if first != 0 or end is not None:
            raise DataError(f'{path} is KITTI raw: its frames are chosen by drive or by list, '
                            f'not by [{first}, {"end" if end is None else end})')
        return open_kitti(path, cameras=cameras, drop_static=drop_static)
    if is_recording(path):
        raise DataError(f'{path} is a recording: run `mdepth prepare {path} --out DIR` and give '
                        'DIR instead')
    if not path.is_dir() or not find_frames_folders(path):
        raise DataError(f'{path} is neither a folder with {FILE_NAME}, nor a tree of such '
                        'folders, nor KITTI raw (folders such as 2011_09_26 with their '
                        'calib_cam_to_cam.txt)')
    return open_frames(path, first, end)


def is_recording(path: Path) -> bool:
    """
    Whether this looks like a bag or a video.

    :param path: a file, or the folder of a ROS 2 bag.
    """
    return is_bag(path) or (path.suffix.lower() in VIDEO_SUFFIXES and not path.is_dir())
