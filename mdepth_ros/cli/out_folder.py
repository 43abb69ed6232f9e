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

"""Folders that commands fill."""

from collections.abc import Sequence
import fcntl
from pathlib import Path
import shutil
from typing import TextIO

from mdepth_ros.errors import MdepthError, writing


def source_name(source: str) -> str:
    """
    Name a folder after a file, without its suffix, or after a folder or a camera.

    :param source: the path or the index.
    """
    path = Path(source).resolve()  # . and .. have no name of their own
    return path.name if path.is_dir() else path.stem


def fresh_folder(out: Path, command: str, results: Sequence[str], owner: str = '',
                 chosen: bool = True) -> TextIO:
    """
    Make the folder; remove what the last run left, and only in a folder that a run has made.

    :param out: the folder.
    :param command: whose it is.
    :param results: names of the files and folders that a run may leave.
    :param owner: whose results these are.
    :param chosen: whether somebody chose the folder, which may then replace another owner's.
    :return: a file; as long as it is open, no other run may have the folder.
    :raises MdepthError: if it holds anything else, or those of another owner, or another run has
        it, or it cannot be made.
    """
    marker = out / f'.mdepth_{command}'
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not marker.exists())):
        raise MdepthError(f'--out {out} exists and is not from a {command}; '
                          'choose another folder')
    make_folder(out)
    with writing(out):
        is_new = not marker.exists()
        held = marker.open('a+', encoding='utf-8')
        try:
            _take(held, f'another {command} is writing to {out}')
            held.seek(0)
            before = held.read()
            if not (chosen or is_new or before == owner):
                raise MdepthError(f'{out} holds what a {command} made of '
                                  f'{before or "something else"}; choose another folder by --out')
            held.truncate(0)
            held.write(owner)
            held.flush()
            for path in (out / name for name in results):
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
        except BaseException:
            held.close()
            raise
    return held


def _take(file: TextIO, taken: str) -> None:
    """Lock a file until it is closed, where the disk knows locks; if another has it, say so."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise MdepthError(taken) from error
    except OSError:
        pass


def make_folder(folder: Path) -> None:
    """
    Make a folder and those that it is in, where they are missing.

    :param folder: the folder.
    :raises MdepthError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MdepthError(f'cannot make the folder {folder}: {error.strerror}') from error
