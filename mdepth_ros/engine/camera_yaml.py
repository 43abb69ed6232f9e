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

"""Camera files as ``camera_calibration`` writes and ``camera_info_manager`` reads them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mdepth_ros.engine.camera import Camera, Matrix
from mdepth_ros.engine.yaml_file import read_yaml
from mdepth_ros.errors import BadCamera
import numpy as np
import yaml

# Name in the file and required (rows, cols); None is any number.
MATRICES: dict[str, tuple[int, int | None]] = {
    'camera_matrix': (3, 3),
    'distortion_coefficients': (1, None),
    'rectification_matrix': (3, 3),
    'projection_matrix': (3, 4),
}


def read_camera_yaml(path: Path) -> Camera:
    """
    Read a camera file.

    :param path: file in the format of ``camera_calibration``.
    :return: its camera.
    :raises BadCamera: naming every key that is missing or badly shaped, or what the camera lacks.
    """
    try:
        content = read_yaml(path)
    except ValueError as error:
        raise BadCamera(f'{path}: cannot read the camera file: {error}') from error
    if not isinstance(content, Mapping):
        raise BadCamera(f'{path}: must be a mapping of keys, got {type(content).__name__}')

    problems: list[str] = []
    width = _positive_int(content, 'image_width', problems)
    height = _positive_int(content, 'image_height', problems)
    model = content.get('distortion_model')
    if not isinstance(model, str):
        problems.append(f'distortion_model must be a text, got {_found(model)}')
    matrices = {name: _matrix(content, name, *shape, problems)
                for name, shape in MATRICES.items()}
    if problems:
        raise BadCamera(f'{path}: ' + '; '.join(problems))
    try:
        return Camera(width, height, matrices['camera_matrix'],
                      matrices['distortion_coefficients'].ravel(), str(model),
                      matrices['rectification_matrix'], matrices['projection_matrix'])
    except BadCamera as error:
        raise BadCamera(f'{path}: {error}') from error


def write_camera_yaml(camera: Camera, path: Path) -> None:
    """
    Write a camera file that :func:`read_camera_yaml` and ``camera_info_manager`` read.

    :param camera: what to write.
    :param path: file to make or replace.
    """
    values = (camera.K, camera.distortion[None], camera.R, camera.P)
    content: dict[str, Any] = {
        'image_width': camera.width,
        'image_height': camera.height,
        'camera_name': 'camera',
        'distortion_model': camera.distortion_model,
    }
    for name, matrix in zip(MATRICES, values):
        rows, cols = matrix.shape
        content[name] = {'rows': rows, 'cols': cols, 'data': matrix.ravel().tolist()}
    text = yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=95)
    path.write_text(text, encoding='utf-8')


def _positive_int(content: Mapping[str, Any], name: str, problems: list[str]) -> int:
    """Read a size; note a problem and return 0 where it is none."""
    value = content.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        problems.append(f'{name} must be a whole number > 0, got {_found(value)}')
        return 0
    return value


def _matrix(content: Mapping[str, Any], name: str, rows: int, cols: int | None,
            problems: list[str]) -> Matrix:
    """Read a matrix; note a problem and return an empty one where it is none."""
    expected = (f'{name} must have rows: {rows}, cols: {cols or "n"} and '
                f'data: [rows x cols numbers]')
    value = content.get(name)
    if not isinstance(value, Mapping):
        problems.append(f'{expected}, got {_found(value)}')
        return np.zeros((0, 0))
    data = value.get('data')
    shape = (value.get('rows'), value.get('cols'))
    if (not isinstance(data, list) or not all(_is_number(entry) for entry in data)
            or shape != (rows, len(data) // rows if cols is None else cols)
            or len(data) != rows * shape[1]):
        count = f'{len(data)} entries' if isinstance(data, list) else f'{data!r}'
        problems.append(f'{expected}, got rows: {shape[0]}, cols: {shape[1]}, data: {count}')
        return np.zeros((0, 0))
    return np.array(data, dtype=np.float64).reshape(rows, -1) if data else np.zeros((rows, 0))


def _is_number(value: object) -> bool:
    """Tell numbers from text and from YAML's booleans, which are ints in Python."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _found(value: object) -> str:
    """Say what a key holds; None may be missing or written as null."""
    return repr(value) if value is not None else 'nothing'
