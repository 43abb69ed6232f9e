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

"""One model, one safetensors file: weights, config and format version together, read strictly."""

import json
from pathlib import Path
from reprlib import repr as short

from mdepth_ros.config import ModelConfig
from mdepth_ros.errors import CheckpointError, one_line
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.networks.state_dict import differences
from mdepth_ros.whole_file import whole_file
from safetensors import safe_open, SafetensorError
from safetensors.torch import save
import torch
from torch import Tensor

DEFAULT_WEIGHTS = Path(__file__).resolve().parents[1] / 'weights' / 'lite.safetensors'
FORMAT = 'mdepth_ros'
FORMAT_VERSION = 1


def save_checkpoint(
    model: DepthModel, path: Path, dtype: torch.dtype = torch.float32, notes: str = ''
) -> None:
    """
    Write a model, replacing the file in one step so that no reader sees half of it.

    :param model: the model; its config goes into the metadata.
    :param path: ``*.safetensors`` to write.
    :param dtype: stored type of the floating-point tensors; float16 halves the file.
    :param notes: free text for people: data, recipe, commit.
    :raises CheckpointError: if the file cannot be written, or would hold values that are not
        finite and be refused by :func:`load_checkpoint`.
    """
    tensors = {key: (value.to(dtype) if value.is_floating_point() else value).contiguous().cpu()
               for key, value in model.state_dict().items()}
    infinite = [key for key, value in tensors.items() if not bool(value.isfinite().all())]
    if infinite:
        raise CheckpointError(f'cannot write {path}: {len(infinite)} tensors are not finite as '
                              f'{dtype}, first {infinite[0]}')
    metadata = {'format': FORMAT, 'format_version': str(FORMAT_VERSION),
                'config': json.dumps(model.config.to_dict()), 'notes': notes}
    try:
        # Not save_file: it has a temporary file of its own, which a killed process leaves behind.
        with whole_file(path) as file:
            file.write(save(tensors, metadata))
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f'cannot write {path}: {error}') from error


def load_checkpoint(path: Path) -> DepthModel:
    """
    Read a model that :func:`save_checkpoint` wrote, as float32 in eval mode.

    :param path: the file.
    :return: the model, with ``config`` from the file.
    :raises CheckpointError: one line, if the file is missing, truncated, foreign, of another
        format version, or does not fill the model exactly.
    """
    metadata, tensors = _read(path)
    if metadata.get('format') != FORMAT:
        raise CheckpointError(f'{path} is a safetensors file, but not one of {FORMAT}: '
                              f'format is {short(metadata.get("format"))}')
    version = metadata.get('format_version')
    if version != str(FORMAT_VERSION):
        raise CheckpointError(f'{path} has format version {one_line(version)}, '
                              f'this mdepth_ros reads {FORMAT_VERSION}')
    try:
        config = ModelConfig.from_dict(json.loads(metadata['config']))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f'{path} has no usable config: {one_line(error)}') from error
    model = DepthModel(config)
    problems = differences(tensors, model.state_dict())
    if not problems and bool((tensors.get('multi.delta', torch.zeros(1)) < 0).any()):
        problems = ['multi.delta must not be negative']
    if problems:
        raise CheckpointError(f'{path} does not fit its own config: ' + '; '.join(problems))
    model.load_state_dict(tensors)  # copies into float32 parameters
    return model.eval()


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Read metadata and tensors, or say in one line why not."""
    if not path.is_file():
        raise CheckpointError(f'there is no weights file {path}')
    try:
        with safe_open(path, framework='pt') as file:
            return file.metadata() or {}, {
                key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f'{path} is not a whole safetensors file '
                              f'({path.stat().st_size} bytes): {one_line(error)}') from error
