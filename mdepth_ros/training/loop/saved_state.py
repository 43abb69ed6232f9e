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

"""The state of an unfinished stage: one file that is whole or not there."""

from dataclasses import dataclass
from pathlib import Path
import pickle
from typing import Any

from mdepth_ros.errors import MdepthError
from mdepth_ros.whole_file import whole_file
import torch


@dataclass(frozen=True)
class SavedState:
    """
    Where a stage stood.

    ``step`` is the next one to do, ``skipped`` of those before were skipped; ``model`` and
    ``optimiser`` are state dicts.
    """

    stage: str
    step: int
    skipped: int
    model: dict[str, Any]
    optimiser: dict[str, Any]


def save_state(state: SavedState, path: Path) -> None:
    """
    Write a state, replacing the last one in one step.

    :param state: what to write.
    :param path: the file.
    :raises MdepthError: if it cannot be written; the last one is then still whole.
    """
    try:
        with whole_file(path) as file:
            torch.save(vars(state), file)
    # torch reports a full disk as a RuntimeError of its zip writer.
    except (OSError, RuntimeError) as error:
        raise MdepthError(f'cannot write {path}: {error}; the state saved before is whole, '
                          'and training goes on from it once there is room') from error


def load_state(path: Path) -> SavedState | None:
    """
    Read a state.

    :param path: the file.
    :return: the state on the CPU, None if there is none.
    :raises MdepthError: if the file is not a state.
    """
    if not path.is_file():
        return None
    try:
        return SavedState(**torch.load(path, map_location='cpu', weights_only=True))
    except (OSError, RuntimeError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise MdepthError(f'{path} is not a saved state of a training run: {error}') from error
