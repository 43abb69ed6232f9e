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

"""What became of the recordings: counted by reason, for people and as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
import json
from pathlib import Path
from typing import Any, get_args

from mdepth_ros.errors import MdepthError, one_line
from mdepth_ros.training.prepare.frame_writer import ADVICE
from mdepth_ros.whole_file import write_whole

FILE_NAME = 'prepare.json'


@dataclass(frozen=True)
class SourceReport:
    """
    What became of one recording.

    Of ``images`` in ``source``, ``frames`` are in ``folder`` in so many ``sequences``, some of
    them ``with_depth`` and ``with_odometry``; ``rejected`` counts the others by reason, and
    ``first`` says what was wrong with the first one of a reason.
    """

    source: str
    folder: str
    images: int
    frames: int
    sequences: int
    with_depth: int
    with_odometry: int
    rejected: dict[str, int]
    first: dict[str, str]

    def line(self) -> str:
        """Return all in one line."""
        parts = [f'{self.source}: {self.frames} of {self.images} images in {self.sequences} '
                 f'sequences ({self.with_depth} with depth, {self.with_odometry} with odometry)']
        for reason, count in sorted(self.rejected.items()):
            first = f' (first: {self.first[reason]})' if reason in self.first else ''
            parts.append(f'{count} {reason}{first}')
        return '; '.join(map(one_line, parts))


def read_source_report(content: object) -> SourceReport:
    """
    Read one recording's part of a report.

    :param content: what JSON holds of it.
    :raises ValueError: if it is not what a report has.
    """
    kinds = {field.name: field.type for field in fields(SourceReport)}
    if not isinstance(content, dict) or content.keys() != kinds.keys():
        raise ValueError(f'the report of a source must have {", ".join(kinds)}')
    for name, kind in kinds.items():
        if not _is(content[name], kind):
            raise ValueError(f'{name} of a source cannot be {content[name]!r}')
    return SourceReport(**content)


@dataclass(frozen=True)
class PrepareReport:
    """The reports of all recordings, in the order given."""

    sources: tuple[SourceReport, ...]

    @property
    def frames(self) -> int:
        """Frames of all sources."""
        return sum(source.frames for source in self.sources)

    def text(self) -> str:
        """Return a line for each recording."""
        return '\n'.join(source.line() for source in self.sources)

    def refuse_empty(self) -> None:
        """
        Check that every recording gave frames.

        :raises MdepthError: naming those that did not, with their counts.
        """
        empty = [source.line() for source in self.sources if not source.frames]
        if empty:
            raise MdepthError('nothing is left of ' + ' | '.join(empty))


def write_report(path: Path, report: PrepareReport, arguments: Mapping[str, Any]) -> None:
    """
    Write ``prepare.json`` in one step.

    :param path: the file.
    :param report: what became of the recordings.
    :param arguments: what the result depends on.
    :raises MdepthError: if the disk does not take it.
    """
    content = {'arguments': arguments, **asdict(report)}
    write_whole(path, (json.dumps(content, indent=1) + '\n').encode(), ADVICE)


def read_report(path: Path) -> tuple[PrepareReport, dict[str, Any]]:
    """
    Read ``prepare.json``.

    :param path: the file.
    :return: the report and the arguments.
    :raises MdepthError: if it is not one.
    """
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
        if not (isinstance(content, dict) and isinstance(content.get('arguments'), dict)
                and isinstance(content.get('sources'), list)):
            raise ValueError('it must have arguments and sources')
        return (PrepareReport(tuple(map(read_source_report, content['sources']))),
                content['arguments'])
    except (OSError, ValueError, RecursionError) as error:
        raise MdepthError(f'{path} is not a report of prepare: {one_line(error)}') from error


def _is(value: object, kind: Any) -> bool:
    """Whether this is a text, a count, or a dict of them; JSON's booleans are ints in Python."""
    if kind is int:
        return type(value) is int and 0 <= value < 2**63
    if kind is str:
        return isinstance(value, str)
    return isinstance(value, dict) and all(_is(part, get_args(kind)[1]) for part in value.values())
