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

"""What ``frames.json`` may hold: the rules that reading and writing share."""

from collections.abc import Mapping
from itertools import pairwise
import math
import os
from pathlib import PurePosixPath
from typing import Any

from mdepth_ros.engine.camera import Camera, ROTATION_TOLERANCE
from mdepth_ros.errors import BadCamera
import numpy as np

NOTES = {'note', 'notes'}  # free text, on the file and on each frame
FILE_KEYS = {'width', 'height', 'K', 'depth_unit_m', 'fps', 'frames'} | NOTES
PATHS = ('image', 'depth', 'moving')
POSES = ('T_world_camera', 'T_odom_base')
FRAME_KEYS = {*PATHS, *POSES, 'stamp_ns'} | NOTES


def find_problems(content: object) -> list[str]:
    """
    Check the content of a ``frames.json``, but not the files that it names.

    :param content: what JSON made of it.
    :return: all that is wrong, empty if nothing is.
    """
    if not isinstance(content, Mapping):
        return [f'must be an object with width, height, K and frames, got {_short(content)}']
    problems = _unknown('', content, FILE_KEYS) + _camera_problems(content)
    for name in ('depth_unit_m', 'fps'):
        if name in content and not (_is_number(content[name]) and content[name] > 0):
            problems.append(f'{name} must be a number > 0, got {_short(content[name])}')
    frames = content.get('frames')
    if not isinstance(frames, list) or not frames:
        return [*problems, f'frames must be a list of at least one frame, got {_short(frames)}']
    of_frames = [problem for index, entry in enumerate(frames)
                 for problem in _frame_problems(f'frame {index}', entry)]
    return problems + (of_frames or _stamp_problems(frames))


def _camera_problems(content: Mapping[str, Any]) -> list[str]:
    """Check size and intrinsics, by the camera's own rules once they are numbers."""
    problems = [f'{name} must be a whole number > 0, got {_short(content.get(name))}'
                for name in ('width', 'height')
                if not _is_whole(content.get(name)) or content[name] <= 0]
    K = content.get('K')
    if not _is_matrix(K, 3):
        problems.append(f'K must be 3 rows of 3 numbers [px], got {_short(K)}')
    if not problems:
        try:
            Camera(content['width'], content['height'], np.array(K, np.float64))
        except BadCamera as error:
            problems.append(str(error))
    return problems


def _frame_problems(where: str, entry: object) -> list[str]:
    """Check one frame by itself."""
    if not isinstance(entry, Mapping):
        return [f'{where} must be an object with image, got {_short(entry)}']
    problems = _unknown(where + ': ', entry, FRAME_KEYS)
    for name in PATHS:
        if (name in entry or name == 'image') and not _is_inside(entry.get(name)):
            problems.append(f'{where}: {name} must be a path inside the folder, '
                            f'got {_short(entry.get(name))}')
    for name in POSES:
        if name in entry and not _is_motion(entry[name]):
            problems.append(f'{where}: {name} must be a 4 x 4 rotation and translation [m], '
                            f'got {_short(entry[name])}')
    if 'stamp_ns' in entry and not _is_whole(entry['stamp_ns']):
        problems.append(f'{where}: stamp_ns must be a whole number [ns], '
                        f'got {_short(entry["stamp_ns"])}')
    return problems


def _stamp_problems(frames: list[dict[str, Any]]) -> list[str]:
    """Check the stamps against each other."""
    stamps = [entry['stamp_ns'] for entry in frames if 'stamp_ns' in entry]
    if stamps and len(stamps) != len(frames):
        return [f'all frames or none must have stamp_ns, got {len(stamps)} of {len(frames)}']
    return [f'frame {index}: stamp_ns must be later than the frame before, {before}, got {stamp}'
            for index, (before, stamp) in enumerate(pairwise(stamps), 1)
            if stamp <= before]


def _unknown(where: str, content: Mapping[str, Any], known: set[str]) -> list[str]:
    """Name the keys that are not ours."""
    unknown = sorted(content.keys() - known)
    return [f'{where}unknown {", ".join(unknown)}, known are {", ".join(sorted(known))}'
            ] if unknown else []


def _is_whole(value: object) -> bool:
    """Tell whole 64-bit numbers from JSON's booleans, which are ints in Python."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _is_number(value: object) -> bool:
    """Tell finite numbers from the rest; Python's JSON also reads NaN."""
    return _is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def _is_matrix(value: object, side: int) -> bool:
    """Whether this is a square matrix of numbers."""
    return (isinstance(value, list) and len(value) == side
            and all(isinstance(row, list) and len(row) == side and all(map(_is_number, row))
                    for row in value))


def _is_motion(value: object) -> bool:
    """Whether this is a rigid motion, up to the few digits of a text file."""
    if not _is_matrix(value, 4):
        return False
    T = np.array(value, np.float64)
    R = T[:3, :3]
    return bool(T[3].tolist() == [0.0, 0.0, 0.0, 1.0] and np.linalg.det(R) > 0.0
                and np.abs(R @ R.T - np.eye(3)).max() < ROTATION_TOLERANCE)


def _is_inside(value: object) -> bool:
    """Whether this names a file in the folder or below it."""
    if not isinstance(value, str) or not value or '\\' in value or min(value) < ' ':
        return False
    try:
        os.fsencode(value)
    except UnicodeEncodeError:  # half a letter, which JSON can hold
        return False
    path = PurePosixPath(value)
    return not path.is_absolute() and path.parts != () and '..' not in path.parts


def _short(value: object) -> str:
    """Say what a key holds; None may be missing or written as null."""
    text = 'nothing' if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + '...'
