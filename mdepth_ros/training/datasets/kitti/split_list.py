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

"""Exact lists of training frames, as papers publish them: drive folder, frame number, side."""

from dataclasses import dataclass
from pathlib import Path

from mdepth_ros.training.datasets.kitti.drive_id import CAMERAS, DriveId, parse_drive
from mdepth_ros.training.datasets.sequence import DataError

SIDES = dict(zip('lr', CAMERAS))


@dataclass(frozen=True)
class ListedFrame:
    """One line: a frame of a drive's camera."""

    drive: DriveId
    camera: str
    number: int


def read_split_list(path: Path) -> list[ListedFrame]:
    """
    Read a list of frames.

    :param path: lines such as ``2011_09_26/2011_09_26_drive_0022_sync 473 r``.
    :return: the frames in the order of the file; at least one.
    :raises DataError: naming the file and the line that is wrong.
    """
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'{path} is not readable: {error}') from error
    frames = [_frame(path, place, line) for place, line in enumerate(lines, 1) if line.strip()]
    if not frames:
        raise DataError(f'{path} lists no frames')
    return frames


def _frame(path: Path, place: int, line: str) -> ListedFrame:
    """Read one line."""
    words = line.split()
    if len(words) != 3 or not words[1].isdecimal() or words[2] not in SIDES:
        raise DataError(f'{path}: line {place} must be a drive folder, a frame number and '
                        f'l or r, got {line!r}')
    try:
        return ListedFrame(parse_drive(words[0]), SIDES[words[2]], int(words[1]))
    except DataError as error:
        raise DataError(f'{path}: line {place}: {error}') from error
