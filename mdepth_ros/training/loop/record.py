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

"""The numbers of a run, one JSON line each: what remains when nobody looks at TensorBoard."""

import json
import math
from pathlib import Path
from typing import Any

from mdepth_ros.errors import writing
from mdepth_ros.whole_file import write_whole


class Record:
    """
    Lines of ``{"stage": ..., "step": ..., name: value, ...}``.

    :param path: the file; lines are appended.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def rewind(self, stage: str, step: int) -> None:
        """
        Drop the lines of a stage from a step on, those that a resumed run will write again.

        :param stage: its name.
        :param step: the first to drop.
        :raises MdepthError: if the disk is full.
        """
        kept = [line for line in self.lines() if line['stage'] != stage or line['step'] < step]
        write_whole(self._path, ''.join(json.dumps(line) + '\n' for line in kept).encode())

    def add(self, line: dict[str, Any]) -> None:
        """
        Append a line.

        :param line: numbers and text by name; a number that is not finite becomes ``null``.
        :raises MdepthError: if the disk is full.
        """
        line = {name: None if isinstance(value, float) and not math.isfinite(value) else value
                for name, value in line.items()}
        with writing(self._path), open(self._path, 'a', encoding='utf-8') as file:
            file.write(json.dumps(line, allow_nan=False) + '\n')

    def lines(self) -> list[dict[str, Any]]:
        """Return all whole lines; one that a killed process left unfinished is skipped."""
        if not self._path.is_file():
            return []
        text = self._path.read_text(encoding='utf-8')
        whole = text.splitlines() if text.endswith('\n') else text.splitlines()[:-1]
        return [json.loads(line) for line in whole]
