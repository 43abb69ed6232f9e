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

"""
The file ``frames.json``: which images a folder holds, of what camera, and what is known of each.

Read and written strictly, by one set of rules; what the images hold is for the data sets to check.
"""

from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

from mdepth_ros.engine.camera import Camera
from mdepth_ros.training.datasets.frames_check import find_problems, NOTES, POSES
from mdepth_ros.training.datasets.sequence import DataError
from mdepth_ros.whole_file import whole_file
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

FILE_NAME = 'frames.json'
DEFAULT_FPS = 30.0
DEFAULT_DEPTH_UNIT_M = 0.001
SHOWN_PROBLEMS = 5  # one mistake of a script is in every frame


@dataclass(frozen=True, eq=False)
class FrameEntry:
    """
    One frame. Paths are relative to the folder and stay inside it, with forward slashes.

    ``image`` an 8-bit colour image, rectified; ``depth`` a 16-bit PNG, 0 where there is none;
    ``moving`` a PNG mask, not 0 where something moves in the world; ``T_world_camera`` (4, 4) in
    optical axes [m]; ``T_odom_base`` (4, 4) as the robot's odometry said [m].
    """

    image: str
    stamp_ns: int | None = None
    depth: str | None = None
    T_world_camera: Matrix | None = None
    T_odom_base: Matrix | None = None
    moving: str | None = None


@dataclass(frozen=True, eq=False)
class FramesIndex:
    """
    The whole file: the camera of all images [px], the unit of depth [m], the frames in time.

    ``fps`` [1/s] counts where frames have no stamps; None is ``DEFAULT_FPS``.
    """

    width: int
    height: int
    K: Matrix
    frames: tuple[FrameEntry, ...]
    depth_unit_m: float = DEFAULT_DEPTH_UNIT_M
    fps: float | None = None
    note: str = ''

    def camera(self) -> Camera:
        """Return the camera of the images, without distortion."""
        return Camera(self.width, self.height, self.K)

    def stamp_ns(self, index: int) -> int:
        """Return when a frame was taken [ns], from 0 on where the file only has a rate."""
        stamp_ns = self.frames[index].stamp_ns
        return round(index * 1e9 / (self.fps or DEFAULT_FPS)) if stamp_ns is None else stamp_ns


def read_index(path: Path) -> FramesIndex:
    """
    Read and check ``frames.json``, but none of the files that it names.

    :param path: the file.
    :raises DataError: naming the file and all that is wrong with it, in one line.
    """
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f'{path} is not readable: {error}') from error
    _refuse_problems(path, content)
    frames = tuple(map(_entry, content['frames']))
    notes = [str(content[name]) for name in sorted(NOTES) if name in content]
    rest = {name: content[name] for name in ('depth_unit_m', 'fps') if name in content}
    return FramesIndex(content['width'], content['height'], np.array(content['K'], np.float64),
                       frames, note='\n'.join(notes), **rest)


def write_index(index: FramesIndex, path: Path) -> None:
    """
    Write ``frames.json``, replacing it in one step so that no reader sees half of it.

    :param index: what to write; other users of the folder see it only once it is on the disk.
    :param path: the file.
    :raises DataError: if :func:`read_index` would refuse it, and nothing is written.
    """
    content: dict[str, Any] = {
        'width': index.width, 'height': index.height, 'K': np.asarray(index.K).tolist(),
        'depth_unit_m': index.depth_unit_m}
    if index.fps is not None:
        content['fps'] = index.fps
    if index.note:
        content['note'] = index.note
    frames = [_entry_content(entry) for entry in index.frames]
    _refuse_problems(path, {**content, 'frames': frames})
    # A line for each frame: small enough, and a person can look at it and compare two of them.
    lines = ',\n'.join(json.dumps(frame) for frame in frames)
    text = f'{json.dumps(content)[:-1]}, "frames": [\n{lines}\n]}}\n'
    with whole_file(path) as file:
        file.write(text.encode())


def _entry(content: dict[str, Any]) -> FrameEntry:
    """Build a frame from what the file holds for it; its notes are for people alone."""
    values: dict[str, Any] = {name: np.array(value, np.float64) if name in POSES else value
                              for name, value in content.items() if name not in NOTES}
    return FrameEntry(**values)


def _entry_content(entry: FrameEntry) -> dict[str, Any]:
    """Turn a frame into what JSON can hold, without what is not known."""
    values = {name: getattr(entry, name) for name in ('image', 'stamp_ns', 'depth', *POSES,
                                                      'moving')}
    return {name: np.asarray(value).tolist() if name in POSES else value
            for name, value in values.items() if value is not None}


def _refuse_problems(path: Path, content: object) -> None:
    """Raise DataError if anything is wrong."""
    problems = find_problems(content)
    if problems:
        more = len(problems) - SHOWN_PROBLEMS
        rest = f'; and {more} more' if more > 0 else ''
        raise DataError(f'{path}: ' + '; '.join(problems[:SHOWN_PROBLEMS]) + rest)
