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

"""What was decided about each image, so that an interrupted run goes on where it was."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
import errno
import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

from mdepth_ros.errors import MdepthError, one_line
from mdepth_ros.training.datasets.frames_folder import JOURNAL
from mdepth_ros.training.prepare.frame_writer import writing
from mdepth_ros.training.prepare.report import read_source_report, SourceReport

START = b'{"arguments": '
# What reading raises of a line that says anything else.
DAMAGE = (AttributeError, KeyError, TypeError, ValueError, RecursionError)


@dataclass(frozen=True)
class Decision:
    """
    What became of an image.

    ``rejected`` is the reason and ``detail`` the rest of it; for a frame the reason is empty, and
    ``has_depth`` says whether its depth was written.
    """

    rejected: str = ''
    detail: str = ''
    has_depth: bool = False


class Journal:
    """
    A line for each decision, written once what it says is on the disk; a context manager.

    A line that was cut off is as if it had not been written. The first line holds the arguments.

    :param folder: the folder that is being prepared; other processes are kept out of it.
    :param arguments: what the run depends on, as JSON has it.
    :raises MdepthError: if the folder was begun with others, another process is at work on it, or
        the file says what no journal says; it stays as it is.
    """

    def __init__(self, folder: Path, arguments: Mapping[str, Any]) -> None:
        self.path = folder / JOURNAL
        self._decisions: dict[tuple[int, int], Decision] = {}
        self._reports: dict[int, SourceReport] = {}
        with writing(self.path):
            self._file = self.path.open('a+b', buffering=0)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                self._file.close()
                raise MdepthError(f'{folder} is being prepared by another process') from error
            try:
                self._read(folder, arguments)
            except BaseException:
                self._file.close()
                raise

    def __enter__(self) -> 'Journal':
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._file.close()

    def __len__(self) -> int:
        """Return for how many images it knows what became of them."""
        return len(self._decisions)

    def decisions(self, source: int) -> dict[int, Decision]:
        """Return what was decided about the images of a source, by their number."""
        return {number: decision for (of, number), decision in self._decisions.items()
                if of == source}

    def report(self, source: int) -> SourceReport | None:
        """Return the report of a source that is done; None if it is not."""
        return self._reports.get(source)

    def decide(self, source: int, number: int, decision: Decision) -> None:
        """
        Append a decision.

        :param source: number of the source.
        :param number: number of the image in it.
        :param decision: what became of it; a frame's files are on the disk.
        :raises MdepthError: if the disk does not take it.
        """
        self._append({'source': source, 'image': number, **vars(decision)})

    def finish(self, source: int, report: SourceReport) -> None:
        """
        Append that a source is done, with all its sequences.

        :param source: its number.
        :param report: its report.
        :raises MdepthError: if the disk does not take it.
        """
        self._append({'source': source, 'report': asdict(report)})

    def remove(self) -> None:
        """Remove the journal: the folder is complete."""
        with writing(self.path):
            self.path.unlink()

    def _read(self, folder: Path, arguments: Mapping[str, Any]) -> None:
        """Read what is there, and cut off what is only half a line."""
        self._file.seek(0)
        content = self._file.read()
        if content[:len(START)] != START[:len(content)]:
            raise MdepthError(f'{self.path} is not a journal of prepare: use another folder')
        lines = content.split(b'\n')
        whole = len(content) - len(lines.pop())
        if len(lines) < 2:  # nothing was done yet, whatever the arguments were
            self._file.truncate(0)
            self._append({'arguments': arguments})
            return
        for number, line in enumerate(lines, 1):
            try:
                self._take(json.loads(line), folder, arguments)
            except DAMAGE as error:
                raise MdepthError(f'{self.path} is damaged in line {number}: remove {folder} and '
                                  'start again') from error
        self._file.truncate(whole)

    def _take(self, line: dict[str, Any], folder: Path, arguments: Mapping[str, Any]) -> None:
        """Take what a line says; raise one of DAMAGE if that is nothing of ours."""
        if 'arguments' in line:
            refuse_other(folder, dict(line['arguments']), arguments)
        elif 'report' in line:
            self._reports[line['source']] = read_source_report(line['report'])
        else:
            place = line.pop('source'), line.pop('image')
            self._decisions[place] = decision = Decision(**line)
            kinds = {field.name: field.type for field in fields(Decision)}
            if any(type(value) is not kinds[name] for name, value in vars(decision).items()):
                raise ValueError(f'no decision is {decision}')

    def _append(self, line: Mapping[str, Any]) -> None:
        """Write a line at once."""
        data = (json.dumps(line) + '\n').encode()
        with writing(self.path):
            # Unbuffered: nothing is left that closing the file would try to write again.
            if self._file.write(data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def refuse_other(folder: Path, begun: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """
    Refuse to go on with other arguments than those that a folder was begun with.

    :param folder: the folder.
    :param begun: its arguments.
    :param arguments: ours.
    :raises MdepthError: naming what differs.
    """
    other = [f'{name} {begun.get(name)!r} and not {arguments.get(name)!r}'
             for name in sorted(begun.keys() | arguments.keys())
             if begun.get(name) != arguments.get(name)]
    if other:
        raise MdepthError(f'{folder} was prepared with {one_line("; ".join(other))}: use the same '
                          'arguments or another folder')
