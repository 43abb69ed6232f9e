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

from collections.abc import Iterator
from contextlib import contextmanager, suppress
import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from mdepth_ros.errors import writing


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """
    Write beside a file, and put that in its place once all of it is on the disk.

    What a killed process leaves beside it is written over the next time.

    :param path: the file; as it was if anything is raised inside.
    :raises OSError: if the disk does not take it.
    """
    path = path.resolve()  # a link stays one
    partial = path.with_name(f'.{path.name}.partial')
    try:
        with open(partial, 'wb') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        with suppress(OSError):  # after success, and where it never came to be
            partial.unlink()


def write_whole(path: Path, content: bytes, advice: str = '') -> None:
    """
    Write a file in one step, and its folder.

    :param path: the file.
    :param content: all of it.
    :param advice: what to add where the disk does not take it.
    :raises MdepthError: if the disk does not take it.
    """
    with writing(path, advice):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write(content)


def require_room(folder: Path) -> None:
    """
    See whether a folder takes files, before the long part that makes them.

    :param folder: one that is there.
    :raises MdepthError: if it does not.
    """
    with writing(folder), NamedTemporaryFile(dir=folder):
        pass
