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

"""Files that are there completely or not at all."""

import os
from pathlib import Path

from mdepth_ros.errors import writing


def write_whole(path: Path, content: bytes) -> None:
    """
    Write a file in one step, and its folder.

    :param path: the file.
    :param content: all of it.
    :raises MdepthError: if the disk does not take it.
    """
    partial = path.with_name(f'.{path.name}.{os.getpid()}.partial')
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(content)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
