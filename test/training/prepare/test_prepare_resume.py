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

"""Interrupted at any moment, a second run ends with the same files."""

from dataclasses import replace
import json
import os
import resource
import signal
import subprocess
import sys
import time

from mdepth_ros.errors import MdepthError
from mdepth_ros.training.prepare.options import PrepareOptions
from mdepth_ros.training.prepare.prepare import prepare
import pytest
from recordings import depth_at, frame, odometry_at, PERIOD_NS, picture, stamp_of, tree, write

# So short a gap that static frames must count as time that goes on.
OPTIONS = PrepareOptions(png=True, max_gap_s=0.15)


def eventful():
    """Long and short sequences, static and broken images, odometry, depth."""
    messages = []
    for index in (0, 1, 2, 3, 4, 20, 21, 40, 41, 42, 43):
        place = {3: 2, 42: 41}.get(index, index)
        messages += frame(index, place=place)
        messages.append(depth_at(index, stamp_of(index), picture(index)[..., 0], 'mono8'))
        messages.append(odometry_at(index + 0.1, stamp_of(index) + PERIOD_NS // 10,
                                    (0.1 * index, 0.0, 0.0)))
    depth = [m for m in messages if m[0] == '/depth/image']
    for message in depth[:4] + depth[6:]:
        message[2].encoding = '16UC1'
        message[2].width //= 2
    broken = frame(44)
    broken[1][2].encoding = 'nv21'
    return messages + broken + frame(45, place=45) + frame(46, place=46)


@pytest.fixture(scope='module')
def bags(tmp_path_factory):
    folder = tmp_path_factory.mktemp('bags')
    return [write(folder, eventful(), name='one'),
            write(folder, [m for i in range(4) for m in frame(i)], name='two')]


@pytest.fixture(scope='module')
def undisturbed(bags, tmp_path_factory):
    out = tmp_path_factory.mktemp('undisturbed') / 'out'
    report = prepare(bags, out, OPTIONS, progress=False)
    assert report.sources[0].sequences == 2
    assert report.sources[0].rejected == {
        'static': 2, 'in a sequence of fewer than 3 frames': 4, 'broken image': 1}
    assert report.sources[0].with_depth > 3
    assert report.sources[0].with_odometry > 3
    return tree(out)


@pytest.mark.parametrize('after', [False, True])
def test_interrupted_at_every_file(bags, tmp_path, monkeypatch, after):
    bags = bags[:1]
    prepare(bags, tmp_path / 'undisturbed', OPTIONS, progress=False)
    undisturbed = tree(tmp_path / 'undisturbed')
    os_replace, calls = os.replace, []

    def interrupting(source, target):
        calls.append(target)
        if len(calls) == interrupt_at:
            if after:
                os_replace(source, target)
            raise KeyboardInterrupt
        os_replace(source, target)

    monkeypatch.setattr(os, 'replace', interrupting)
    interrupt_at, finished = 0, False
    while not finished:
        interrupt_at += 1
        out = tmp_path / str(interrupt_at)
        calls.clear()
        try:
            prepare(bags, out, OPTIONS, progress=False)
            finished = True
        except KeyboardInterrupt:
            assert (out / 'journal.jsonl').exists()
            calls[:] = [None] * interrupt_at  # not again
            prepare(bags, out, OPTIONS, progress=False)
        assert tree(out) == undisturbed, interrupt_at
    assert interrupt_at > 15


def test_a_line_that_was_cut_off_is_as_if_never_written(bags, undisturbed, tmp_path, monkeypatch):
    out = tmp_path / 'out'
    journal = begun(bags, out, monkeypatch)
    content = journal.read_bytes()
    lines = content.splitlines(keepends=True)
    for count in range(len(lines)):
        cut = b''.join(lines[:count]) + lines[count][:len(lines[count]) // 2]
        journal.write_bytes(cut)
        # Frames after the last line of a run that was killed may be there, half-written ones too.
        (out / 'one' / '000' / 'image').mkdir(parents=True, exist_ok=True)
        (out / 'one' / '000' / 'image' / '.000000.png.partial').write_bytes(b'half')
        prepare(bags, out, OPTIONS, progress=False)
        left = tree(out)
        left.pop('one/000/image/.000000.png.partial', None)
        assert left == undisturbed, count
        (out / 'prepare.json').unlink()


def interrupt(*_):
    raise KeyboardInterrupt


def begun(bags, out, monkeypatch):
    """Prepare all but the end; returns the journal."""
    with monkeypatch.context() as patch:
        patch.setattr('mdepth_ros.training.prepare.prepare.write_report', interrupt)
        with pytest.raises(KeyboardInterrupt):
            prepare(bags, out, OPTIONS, progress=False)
    return out / 'journal.jsonl'


def test_killed_for_real(tmp_path):
    bag = write(tmp_path, [m for i in range(200) for m in frame(i)],
                name='long')
    words = [str(bag), '--png', '--max-gap', '0.5']
    whole, killed = tmp_path / 'whole', tmp_path / 'killed'

    def start(out):
        return subprocess.Popen(
            [sys.executable, '-m', 'mdepth_ros.cli.main', 'prepare', *words, '--out', str(out)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def lines():
        path = killed / 'journal.jsonl'
        return path.read_bytes().count(b'\n') if path.exists() else 0

    for target in (30, 90):
        with start(killed) as process:
            while lines() < target and process.poll() is None:
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert target <= lines() < 200
        assert not (killed / 'prepare.json').exists()
    with start(killed) as process:
        output, _ = process.communicate(timeout=100)
    assert process.returncode == 0
    assert 'long: 200 of 200 images in 1 sequences' in output
    prepare([bag], whole, PrepareOptions(png=True, max_gap_s=0.5), progress=False)
    assert tree(killed) == tree(whole)


def test_a_full_disk_is_one_line_and_loses_nothing(bags, undisturbed, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = max(len(content) for content in undisturbed.values())
    for limit in (size - 1, 1200):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            with pytest.raises(MdepthError, match=r'^cannot write .*: File too large; nothing is'):
                prepare(bags, tmp_path / 'out', OPTIONS, progress=False)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    prepare(bags, tmp_path / 'out', OPTIONS, progress=False)
    assert tree(tmp_path / 'out') == undisturbed


def test_done_once_a_run_reports_only(bags, undisturbed, tmp_path):
    first = prepare(bags, tmp_path / 'out', OPTIONS, progress=False)
    before = (tmp_path / 'out' / 'one' / '000' / 'frames.json').stat().st_mtime_ns
    assert prepare(bags, tmp_path / 'out', OPTIONS, progress=False) == first
    assert (tmp_path / 'out' / 'one' / '000' / 'frames.json').stat().st_mtime_ns == before


def test_other_arguments_are_refused(bags, tmp_path, monkeypatch):
    out = tmp_path / 'out'
    prepare(bags, out, OPTIONS, progress=False)
    text = 'was prepared with width 640 and not 320: use the same arguments or another folder'
    with pytest.raises(MdepthError, match=text):
        prepare(bags, out, replace(OPTIONS, width=320), progress=False)
    with pytest.raises(MdepthError, match='was prepared with sources'):
        prepare(bags[:1], out, OPTIONS, progress=False)
    begun(bags, tmp_path / 'begun', monkeypatch)
    with pytest.raises(MdepthError, match='png True and not False'):
        prepare(bags, tmp_path / 'begun', PrepareOptions(), progress=False)


DAMAGED = ('5', 'null', '"report"', '[]', '{}', '{"source": 0}', '[' * 20_000, '\udcff',
           '{"source": 0, "image": 3}, {}', '{"source": [], "image": 3}',
           '{"source": 0, "image": 3, "rejected": 4}', '{"source": 0, "image": 3, "x": ""}',
           '{"source": 0, "image": 3, "has_depth": 1}', '{"source": 0, "report": {}}',
           '{"source": 0, "report": 7}', '{"arguments": 7}')


@pytest.mark.parametrize('line', DAMAGED)
def test_a_damaged_journal_is_named_and_kept(bags, tmp_path, monkeypatch, line):
    journal = begun(bags[1:], tmp_path / 'out', monkeypatch)
    first, second, *rest = journal.read_bytes().splitlines(keepends=True)
    changed = b''.join([first, second, line.encode(errors='surrogateescape') + b'\n', *rest])
    journal.write_bytes(changed + b'{"sou')
    with pytest.raises(MdepthError, match=r'^\S+ is damaged in line 3: remove \S+ and') as error:
        prepare(bags[1:], tmp_path / 'out', OPTIONS, progress=False)
    assert '\n' not in str(error.value)
    assert journal.read_bytes() == changed + b'{"sou'


@pytest.mark.parametrize('content', [b'{"mine": 1}', b'{"mine": 1}\n', b'mine', b'\n\n'])
def test_a_journal_of_another_program_is_left_alone(bags, tmp_path, content):
    (tmp_path / 'journal.jsonl').write_bytes(content)
    with pytest.raises(MdepthError, match='is not a journal of prepare'):
        prepare(bags, tmp_path, OPTIONS, progress=False)
    assert (tmp_path / 'journal.jsonl').read_bytes() == content


@pytest.mark.parametrize('change', [
    lambda it: 5, lambda it: [], lambda it: {}, lambda it: it | {'sources': 5},
    lambda it: it | {'sources': [5]}, lambda it: it | {'arguments': []},
    *(lambda it, name=name, value=value: it | {'sources': [it['sources'][0] | {name: value}]}
      for name, value in (('frames', -1), ('frames', True), ('images', 2.0), ('folder', 3),
                          ('rejected', []), ('rejected', {'static': '3'}), ('first', {'a': 3}),
                          ('frames', 10**30), ('more', 1)))])
def test_a_damaged_report_is_named(bags, tmp_path, change):
    out = tmp_path / 'out'
    prepare(bags[1:], out, OPTIONS, progress=False)
    content = change(json.loads((out / 'prepare.json').read_text()))
    (out / 'prepare.json').write_text(json.dumps(content))
    with pytest.raises(MdepthError, match=r'prepare\.json is not a report of prepare: '):
        prepare(bags[1:], out, OPTIONS, progress=False)


def test_foreign_folders_are_refused(bags, tmp_path):
    (tmp_path / 'note.txt').write_text('mine')
    with pytest.raises(MdepthError, match='holds other files'):
        prepare(bags, tmp_path, OPTIONS, progress=False)
    with pytest.raises(MdepthError, match='is not a folder'):
        prepare(bags, tmp_path / 'note.txt', OPTIONS, progress=False)
    assert (tmp_path / 'note.txt').read_text() == 'mine'
