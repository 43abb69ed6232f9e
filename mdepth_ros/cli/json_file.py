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

"""The file that ``--json`` names: made room for before the long part, written after it."""

import argparse
from collections.abc import Mapping
import json
from pathlib import Path
from typing import Any

from mdepth_ros.cli.out_folder import make_folder
from mdepth_ros.errors import MdepthError
from mdepth_ros.whole_file import require_room, write_whole


def add_json_argument(parser: argparse.ArgumentParser, text: str = 'write the numbers there'
                      ) -> None:
    """
    Declare ``--json``.

    :param parser: the parser to fill in.
    :param text: what is written.
    """
    parser.add_argument('--json', type=Path, metavar='FILE', help=text)


def make_place(path: Path | None) -> None:
    """
    Make the file's folder, and see whether it takes files.

    :param path: the file; None where nobody wants one.
    :raises MdepthError: if the file cannot be there.
    """
    if path is None:
        return
    if path.is_dir():
        raise MdepthError(f'--json {path} is a folder, give a file')
    make_folder(path.parent)
    require_room(path.parent)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """
    Write the file in one step, and its folder.

    :param path: the file.
    :param content: all of it.
    :raises MdepthError: if the disk does not take it.
    """
    write_whole(path, (json.dumps(content, indent=2) + '\n').encode())
