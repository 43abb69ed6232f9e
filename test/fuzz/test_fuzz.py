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

"""A short run of the fuzzer, and the proof that it would find what it looks for."""

import json
from pathlib import Path
import re
import resource
import subprocess
import sys

import cv2
import fuzz
from loop import run_cases, TookTooLongError
from mdepth_ros.engine.process_memory import resident_mb
from mdepth_ros.errors import MdepthError
import numpy as np
from sandbox import Escape, Sandbox


def short_run(out, *words):
    """Run it as people do; returns what it prints."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name('fuzz.py')), '--out', str(out), *words],
        capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_messages(tmp_path):
    text = short_run(tmp_path, '--messages', '250', '--seed', '11')
    counts = {what: int(count)
              for count, what in re.findall(r'(\d+) (depth|refused|not delivered)', text)}
    assert sum(counts.values()) == 250
    assert min(counts['depth'], counts['refused']) > 50, text


def test_files(tmp_path):
    text = short_run(tmp_path, '--files', '45', '--seed', '11')
    outcomes = re.findall(r'(\d+) (refused|\w+ (?:done|read|loaded|configure))', text)
    assert sum(int(count) for count, _ in outcomes) == 45
    assert len(outcomes) > 4, text


class Planted:
    """A target whose every case goes wrong in the way that its number says."""

    limit_s, limit_bytes = 2.0, 2**26

    def __init__(self, work):
        (work / 'home').mkdir()
        self._sandbox = Sandbox(work / 'home')
        self.drawn = {}

    def run(self, rng, folder):
        index = int((folder.parent / 'current').read_text())
        self.drawn[index] = rng.random()
        wrong = (self._fine, self._refuse, self._crash, self._hang, self._balloon, self._escape,
                 self._break_canary, self._talk)
        self._sandbox.enter(folder)
        return self._sandbox.watch(folder, lambda: wrong[index](folder))

    def _fine(self, folder):
        (folder / 'out/result').mkdir()
        (folder / 'out/result/file').write_text('this is where it belongs')
        return 'fine'

    def _refuse(self, folder):
        raise MdepthError('as it should be')

    def _crash(self, folder):
        return {}['key']

    def _hang(self, folder):
        while True:
            pass

    def _balloon(self, folder):
        # More than this process ever had: other tests may have had a lot.
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return len(b'x' * (2**28 + most - int(1e6 * resident_mb())))

    def _escape(self, folder):
        (folder / 'out/result/../../../escaped').open('w').close()

    def _break_canary(self, folder):
        cv2.imwrite(str(folder / 'canary/picture.png'), np.zeros((2, 2), np.uint8))

    def _talk(self, folder):
        raise MdepthError('one line\nand another')


def test_what_it_looks_for_it_finds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = tmp_path / 'report.jsonl'
    target = Planted(tmp_path)
    run_cases(target, 'planted', 1, range(8), tmp_path, report)
    *failures, end = map(json.loads, report.read_text().splitlines())
    kinds = {failure['index']: failure['kind'] for failure in failures}
    assert kinds.pop(2).startswith('KeyError at test_fuzz.py')
    assert kinds.pop(3).startswith(TookTooLongError.__name__)
    assert kinds.pop(4) == 'memory'
    assert kinds.pop(5).startswith(Escape.__name__)
    assert kinds.pop(6).startswith(Escape.__name__)
    assert kinds.pop(7) == 'MdepthError of several lines'
    assert not kinds
    assert {name: end['counts'][name] for name in ('fine', 'refused', 'failed')} == {
        'fine': 1, 'refused': 2, 'failed': 6}
    assert (tmp_path / 'failed/planted-1-5/failure.txt').exists()
    # The same case again draws the same numbers.
    drawn = target.drawn[2]
    run_cases(target, 'planted', 1, [2], tmp_path, report)
    assert target.drawn[2] == drawn


def test_a_process_that_dies_is_a_failure_and_the_rest_goes_on(tmp_path, capsys, monkeypatch):
    real = subprocess.run

    def dying(words, **how):
        first = int(words[words.index('--first') + 1])
        if first > 1:
            return real([sys.executable, '-c', ''], **how)
        code = f"import os; open('current', 'w').write('{first + 1}'); os.abort()"
        return real([sys.executable, '-c', code], **how)

    monkeypatch.setattr(fuzz.subprocess, 'run', dying)
    assert fuzz.main(['--files', '9', '--out', str(tmp_path), '--seed', '7']) == 1
    shown = capsys.readouterr().out
    assert 'process ended with -6, 1 times' in shown
    assert '--files 1 --seed 7 --first 1' in shown
