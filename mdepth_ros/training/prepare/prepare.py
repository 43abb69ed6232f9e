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

"""Recordings to folders of rectified frames, once, before any training."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
import hashlib
from pathlib import Path
from typing import Any

from mdepth_ros.errors import MdepthError
from mdepth_ros.messages.bag import is_bag
from mdepth_ros.training.datasets.frames_folder import JOURNAL
from mdepth_ros.training.prepare.bag_source import BagSource
from mdepth_ros.training.prepare.frame_writer import FrameWriter, writing
from mdepth_ros.training.prepare.journal import Journal, refuse_other
from mdepth_ros.training.prepare.options import PrepareOptions
from mdepth_ros.training.prepare.report import (
    FILE_NAME,
    PrepareReport,
    read_report,
    SourceReport,
    write_report,
)
from mdepth_ros.training.prepare.source_image import Source
from mdepth_ros.training.prepare.source_run import SourceRun
from mdepth_ros.training.prepare.video_source import VideoSource
from tqdm import tqdm


def prepare(
    sources: Sequence[Path], out: Path, options: PrepareOptions, progress: bool = True
) -> PrepareReport:
    """
    Turn recordings into sequences of rectified frames.

    Each sequence is a folder ``OUT/<source>/<000...>`` with ``frames.json``. Interrupted at any
    moment, a second call with the same arguments goes on and ends with the same files; until then
    OUT holds a journal, which tells readers to wait. Done before, a call only returns the report.

    :param sources: bags (ROS 1, sqlite3, mcap; file or folder) and video files.
    :param out: the folder to fill; new, empty, or from a call with the same arguments.
    :param options: how.
    :param progress: show a progress bar.
    :return: what became of every image.
    :raises MdepthError: if a source or the disk gives up, the folder is of other arguments, or
        (when all is done) nothing is left of a source.
    """
    _refuse_unusable(sources)
    arguments = _arguments(sources, options)
    report = _earlier_report(out, arguments)
    if report is None:
        # All sources are opened first: the last one's problem should not take hours to show.
        counts = [_count(path, options) for path in sources]
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
        with Journal(out, arguments) as journal, tqdm(
                total=sum(counts), unit=' images', disable=not progress, leave=False) as bar:
            reports = [_prepare_source(number, path, out / name, options, journal, bar)
                       for number, (path, name) in enumerate(zip(sources, _names(sources)))]
            report = PrepareReport(tuple(reports))
            write_report(out / FILE_NAME, report, arguments)
            journal.remove()
    report.refuse_empty()
    return report


def _prepare_source(number: int, path: Path, folder: Path, options: PrepareOptions,
                    journal: Journal, bar: 'tqdm[Any]') -> SourceReport:
    """Prepare one source, unless the journal says that it is done."""
    bar.set_description(path.name)
    known = journal.report(number)
    if known is not None:
        bar.update(known.images)
        return known
    with closing(_open(path, options)) as source:
        writer = FrameWriter(folder, options.png)
        report = SourceRun(number, source, writer, journal, options).run(bar.update)
    journal.finish(number, report)
    return report


def _open(path: Path, options: PrepareOptions) -> Source:
    """Open a bag or a video."""
    return (BagSource(path, options) if is_bag(path)
            else VideoSource(path, options.camera_choice))


def _count(path: Path, options: PrepareOptions) -> int:
    """Open a source to see that it can be, and how many images it has."""
    with closing(_open(path, options)) as source:
        return source.count


def _refuse_unusable(sources: Sequence[Path]) -> None:
    """Refuse what is not there and what is named twice."""
    if not sources:
        raise MdepthError('prepare: at least one bag or video is needed, got none')
    for index, path in enumerate(sources):
        if not path.exists():
            raise MdepthError(f'no bag or video at {path}')
        if path.resolve() in [other.resolve() for other in sources[:index]]:
            raise MdepthError(f'{path} is given twice')


def _names(sources: Sequence[Path]) -> list[str]:
    """Name the sources' folders; where the name is taken, or cannot be one, with a number."""
    names: list[str] = []
    # A file `...mcap` has the stem `..`.
    taken = {'', '.', '..', JOURNAL, FILE_NAME}
    for path in sources:
        stem = path.resolve().name if path.is_dir() else path.stem
        name, number = stem, 2
        while name in taken.union(names):
            name, number = f'{stem}-{number}', number + 1
        names.append(name)
    return names


def _arguments(sources: Sequence[Path], options: PrepareOptions) -> dict[str, Any]:
    """All that the result depends on, as JSON has it."""
    values = {name: str(value) if isinstance(value, Path) else value
              for name, value in asdict(options).items()}
    if options.camera_info is not None:
        try:
            content = options.camera_info.read_bytes()
        except OSError as error:
            raise MdepthError(f'{options.camera_info}: cannot read the camera file: '
                              f'{error.strerror}') from error
        values['camera_info_sha256'] = hashlib.sha256(content).hexdigest()
    return {'sources': [[str(path.resolve()), _size(path)] for path in sources], **values}


def _size(path: Path) -> int:
    """Bytes of a file, or of a folder's files."""
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _earlier_report(out: Path, arguments: dict[str, Any]) -> PrepareReport | None:
    """Return the report of an earlier call that finished; refuse a folder that is not ours."""
    if not out.exists() or (out / JOURNAL).exists():
        return None
    if not out.is_dir():
        raise MdepthError(f'{out} is not a folder')
    path = out / FILE_NAME
    if path.exists():
        report, earlier = read_report(path)
        refuse_other(out, earlier, arguments)
        return report
    if any(out.iterdir()):
        raise MdepthError(f'{out} holds other files: choose a new or an empty folder')
    return None
