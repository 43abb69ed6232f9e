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

"""KITTI raw as training data: whole drives, or an exact list of frames."""

from collections import defaultdict
import collections.abc
from collections.abc import Iterable
from pathlib import Path

from mdepth_ros.training.datasets.kitti.calibration import CAMERA_FILE
from mdepth_ros.training.datasets.kitti.drive import find_images, open_runs
from mdepth_ros.training.datasets.kitti.drive_id import CAMERAS, DriveId, parse_drive
from mdepth_ros.training.datasets.kitti.oxts import moving_frames
from mdepth_ros.training.datasets.kitti.split_list import read_split_list
from mdepth_ros.training.datasets.sequence import DataError, Sequence

MIN_FRAMES = 3  # a target and its two neighbours
DATE_GLOB = '[0-9]' * 4 + '_[0-9][0-9]' * 2


def open_kitti(
    root: Path, drives: Iterable[DriveId] | None = None,
    cameras: collections.abc.Sequence[str] = CAMERAS, drop_static: bool = True,
) -> list[Sequence]:
    """
    Open drives, split where a frame is missing or left out.

    :param root: a folder with a folder for each date.
    :param drives: which; None is all that are there.
    :param cameras: of each drive.
    :param drop_static: leave out the frames at which the car stands, and what is then too short
        to train on; needs the drives' oxts.
    :return: the sequences, by drive, camera and time; at least one.
    :raises DataError: naming the file or folder that is missing or wrong.
    """
    sequences: list[Sequence] = []
    for drive in find_drives(root) if drives is None else drives:
        images = {camera: find_images(root, drive, camera) for camera in cameras}
        numbers = sorted(set().union(*images.values()))
        if drop_static:
            numbers = moving_frames(root / drive.date / drive.folder, numbers)
        for camera, files in images.items():
            runs = open_runs(root, drive, camera, files, [n for n in numbers if n in files])
            sequences += [run for run in runs if len(run) >= MIN_FRAMES or not drop_static]
    if not sequences:
        raise DataError(f'{root}: no drive with {MIN_FRAMES} frames in a row that move')
    return sequences


def open_kitti_list(root: Path, split_list: Path) -> list[Sequence]:
    """
    Open the frames of a list, each with the frame before it and after it.

    :param root: a folder with a folder for each date.
    :param split_list: see :func:`.split_list.read_split_list`.
    :return: the sequences; ``targets`` of each are the listed frames, the others are there as
        their neighbours.
    :raises DataError: naming the file or folder that is missing or wrong.
    """
    listed: dict[tuple[DriveId, str], set[int]] = defaultdict(set)
    for frame in read_split_list(split_list):
        listed[frame.drive, frame.camera].add(frame.number)
    sequences: list[Sequence] = []
    for (drive, camera), targets in sorted(listed.items()):
        images = find_images(root, drive, camera)
        if missing := sorted(targets - images.keys()):
            folder = root / drive.date / drive.folder / camera / 'data'
            raise DataError(f'{split_list} lists {len(missing)} frames that are not in {folder}, '
                            f'the first is {missing[0]:010}')
        around = {number + step for number in targets for step in (-1, 0, 1)}
        numbers = [number for number in images if number in around]
        sequences += open_runs(root, drive, camera, images, numbers, targets)
    return sequences


def find_drives(root: Path) -> list[DriveId]:
    """
    Find the synchronised drives.

    :param root: a folder with a folder for each date.
    :return: sorted; at least one.
    :raises DataError: if there are none.
    """
    drives = sorted(parse_drive(path.name) for path in root.glob(f'{DATE_GLOB}/*_sync')
                    if path.name.startswith(f'{path.parent.name}_drive_'))
    if not drives:
        raise DataError(f'no KITTI drives like 2011_09_26/2011_09_26_drive_0002_sync in {root}')
    return drives


def is_kitti(path: Path) -> bool:
    """
    Whether this is a folder of KITTI raw.

    :param path: any path.
    """
    return any(path.glob(f'{DATE_GLOB}/{CAMERA_FILE}'))
