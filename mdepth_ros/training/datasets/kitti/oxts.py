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

"""The car's speed from its GPS/IMU, and the frames at which it moves."""

from collections.abc import Iterable
import math
from pathlib import Path

from mdepth_ros.training.datasets.sequence import DataError

VALUES = 30
FORWARD, LEFT = 8, 9  # of the values: velocity parallel to the ground [m/s]
MIN_SPEED = 0.5  # [m/s]: 5 cm between frames


def read_speed(path: Path) -> float:
    """
    Read the speed over ground.

    :param path: ``oxts/data/*.txt``, one line of 30 numbers.
    :return: [m/s], at least 0.
    :raises DataError: naming the file, if it is missing or something else.
    """
    try:
        values = [float(word) for word in path.read_text(encoding='ascii').split()]
    except (OSError, ValueError) as error:
        raise DataError(f'{path} is not readable: {error}') from error
    if len(values) != VALUES or not all(map(math.isfinite, values)):
        raise DataError(f'{path} must hold {VALUES} finite numbers, got {len(values)}')
    return math.hypot(values[FORWARD], values[LEFT])


def moving_frames(drive_folder: Path, frames: Iterable[int]) -> list[int]:
    """
    Leave out the frames at which the car stands.

    :param drive_folder: folder of a drive.
    :param frames: frame numbers.
    :return: those with at least ``MIN_SPEED``.
    :raises DataError: naming the file, where the speed of a frame is not known.
    """
    return [frame for frame in frames
            if read_speed(drive_folder / f'oxts/data/{frame:010}.txt') >= MIN_SPEED]
