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

"""KITTI's ``timestamps.txt``: one line for each frame number, to the nanosecond."""

from datetime import datetime, timedelta, timezone
from pathlib import Path
import re

from mdepth_ros.training.datasets.sequence import DataError

LINE = re.compile(r'(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,9}))?')
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def read_stamps(path: Path, frames: list[int]) -> list[int]:
    """
    Read when frames were taken.

    :param path: ``timestamps.txt`` of a camera.
    :param frames: ascending frame numbers, counted from 0.
    :return: one stamp [ns] for each, ascending; the car's clock is read as UTC.
    :raises DataError: naming the file and the line where one is missing, wrong or not later.
    """
    try:
        lines = path.read_text(encoding='ascii').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'{path} is not readable: {error}') from error
    if frames and frames[-1] >= len(lines):
        raise DataError(f'{path} must have a line for frame {frames[-1]}, got {len(lines)} lines')
    stamps = [_stamp(path, frame, lines[frame]) for frame in frames]
    for place in range(1, len(stamps)):
        if stamps[place] <= stamps[place - 1]:
            raise DataError(f'{path}: line {frames[place] + 1} must be later than the frame '
                            f'before, got {lines[frames[place]]!r}')
    return stamps


def _stamp(path: Path, frame: int, line: str) -> int:
    """Read one line [ns]."""
    match = LINE.fullmatch(line.strip())
    if match is None:
        raise DataError(f'{path}: line {frame + 1} must be like '
                        f'2011-09-26 13:02:25.964389445, got {line!r}')
    try:
        second = datetime.strptime(match[1], '%Y-%m-%d %H:%M:%S').replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise DataError(f'{path}: line {frame + 1}: {error}') from error
    return (second - EPOCH) // timedelta(seconds=1) * 10**9 + int((match[2] or '0').ljust(9, '0'))
