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

"""What an interrupted ``mdepth prepare`` leaves behind, broken before it goes on."""

from contextlib import suppress
import json
import shutil
from unittest.mock import patch

from mdepth_ros.training.prepare.journal import Journal
from mutate import changed_bytes, changed_json
from recording_cases import command

JOURNAL, REPORT = 'journal.jsonl', 'prepare.json'


def prepare(base):
    """Prepare the bag of :mod:`recording_cases` up to where the journal would be removed."""
    if not (base / 'begun').exists():
        with patch.object(Journal, 'remove', side_effect=KeyboardInterrupt), \
                suppress(KeyboardInterrupt):
            command(_words(base, base / 'begun'))


def journal(rng, base, weights, folder):
    """Make a folder whose journal, shorter or not, holds broken lines."""
    lines = _begun(base, folder, REPORT).splitlines(keepends=True)
    lines = lines[:rng.randrange(1, len(lines) + 1)]
    for at in rng.sample(range(len(lines)), min(len(lines), rng.choice((1, 1, 2)))):
        lines[at] = (changed_bytes(rng, lines[at]) if rng.random() < 0.3
                     else changed_json(rng, json.loads(lines[at])) + b'\n')
    (folder / 'out/result' / JOURNAL).write_bytes(b''.join(lines))
    return lambda: command(_words(base, folder / 'out/result'))


def report(rng, base, weights, folder):
    """Make a folder that is complete, with a broken report."""
    content = json.loads(_begun(base, folder, JOURNAL, REPORT))
    (folder / 'out/result' / REPORT).write_bytes(changed_json(rng, content))
    return lambda: command(_words(base, folder / 'out/result'))


def _begun(base, folder, removed, kept=JOURNAL):
    """Copy the folder without one of the two files; returns the content of the other."""
    shutil.copytree(base / 'begun', folder / 'out/result')
    (folder / 'out/result' / removed).unlink()
    return (folder / 'out/result' / kept).read_bytes()


def _words(base, out):
    return ['prepare', base / 'mcap', '--out', out, '--keep-static', '--png']
