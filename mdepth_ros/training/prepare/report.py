"""What became of the recordings: counted by reason, for people and as JSON."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mdepth_ros.errors import MdepthError
from mdepth_ros.training.prepare.frame_writer import writing

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
        return '; '.join(parts)


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
    partial = path.with_name(f'.{path.name}')
    with writing(path):
        partial.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')
        os.replace(partial, path)


def read_report(path: Path) -> tuple[PrepareReport, dict[str, Any]]:
    """
    Read ``prepare.json``.

    :param path: the file.
    :return: the report and the arguments.
    :raises MdepthError: if it is not one.
    """
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
        sources = tuple(SourceReport(**source) for source in content['sources'])
        return PrepareReport(sources), dict(content['arguments'])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MdepthError(f'{path} is not a report of prepare: {error}') from error
