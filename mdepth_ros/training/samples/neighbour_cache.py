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

"""Neighbours that were found before, in a JSON file beside the run."""

from dataclasses import asdict
import json
import logging
import operator
from pathlib import Path
from typing import Any
import zlib

from mdepth_ros.errors import one_line
from mdepth_ros.training.datasets import sequence as data
from mdepth_ros.training.samples.triplet import Neighbours, ParallaxRule, Triplet
from mdepth_ros.whole_file import write_whole
import numpy as np

VERSION = 2
DAMAGE = (OSError, AttributeError, KeyError, TypeError, ValueError, RecursionError)


def cache_key(sequence: data.Sequence, rule: ParallaxRule) -> str:
    """
    Everything that the choice of neighbours depends on.

    :param sequence: the frames.
    :param rule: what is looked for.
    :return: one line.
    """
    camera, count = sequence.camera, len(sequence)
    stamps_ns = np.array([sequence.stamp_ns(index) for index in range(count)], np.int64)
    ends = [zlib.crc32(sequence.rgb(index).tobytes())
            for index in ({0, count - 1} if count else ())]
    return json.dumps([sequence.name, count, zlib.crc32(stamps_ns.tobytes()), camera.width,
                       camera.height, camera.rectified_K().tolist(), sorted(ends), asdict(rule)])


def read_cache(path: Path, lengths: dict[str, int]) -> dict[str, Neighbours]:
    """
    Read what is kept.

    :param path: the file.
    :param lengths: frames of each sequence, by :func:`cache_key`.
    :return: neighbours of those that are kept; nothing if there is no file, if another version
        wrote it, or, with a warning, if it is damaged.
    """
    try:
        stored = json.loads(path.read_text(encoding='utf-8'))
        entries = stored['sequences'] if stored['version'] == VERSION else {}
        return {key: _read_entry(entries[key], lengths[key])
                for key in entries.keys() & lengths.keys()}
    except FileNotFoundError:
        return {}
    except DAMAGE as error:
        logging.getLogger(__name__).warning(
            '%s is damaged, the neighbours are looked for again: %s', path, one_line(error))
        return {}


def _read_entry(entry: dict[str, Any], count: int) -> Neighbours:
    """Turn what JSON holds for a sequence of so many frames into what it was; or a ``DAMAGE``."""
    triplets = tuple(Triplet(*map(operator.index, numbers)) for numbers in entry['triplets'])
    if not all(0 <= t.before < t.target < t.after < count for t in triplets):
        raise ValueError(f'no triplets of {count} frames')
    return Neighbours(triplets, {reason: operator.index(targets)
                                 for reason, targets in entry['skipped'].items()})


def write_cache(path: Path, known: dict[str, Neighbours]) -> None:
    """
    Replace the file in one step.

    :param path: the file.
    :param known: neighbours by :func:`cache_key`.
    :raises MdepthError: if the disk does not take it.
    """
    write_whole(path, json.dumps({'version': VERSION, 'sequences': {
        key: {'triplets': [(t.target, t.before, t.after) for t in neighbours.triplets],
              'skipped': neighbours.skipped} for key, neighbours in known.items()}}).encode())
