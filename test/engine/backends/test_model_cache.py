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

"""Converted parts are kept, found again, and one day forgotten."""

import errno
import functools
import os
from pathlib import Path
import subprocess
import sys
import threading

from mdepth_ros.engine.backends import model_cache
from mdepth_ros.engine.backends.model_cache import alone_in, cached_folder, default_cache
from mdepth_ros.engine.backends.onnx_backend import OnnxBackend
from mdepth_ros.engine.backends.openvino_backend import OpenVinoBackend
from mdepth_ros.errors import MdepthError
import pytest
import torch

INPUTS = (torch.zeros(1, 3),)


def test_made_once(tmp_path):
    made = []

    def make(folder):
        made.append(folder)
        (folder / 'file').write_text('x')
    part = torch.nn.Linear(3, 3)
    first = cached_folder(tmp_path / 'new', part, 'part', INPUTS, 'maker 1', make)
    assert (first / 'file').read_text() == 'x'
    assert cached_folder(tmp_path / 'new', part, 'part', INPUTS, 'maker 1', make) == first
    assert len(made) == 1
    others = {
        cached_folder(tmp_path / 'new', part, 'part', (torch.zeros(2, 3),), 'maker 1', make),
        cached_folder(tmp_path / 'new', part, 'part', INPUTS, 'maker 2', make),
        cached_folder(tmp_path / 'new', torch.nn.Linear(3, 3), 'part', INPUTS, 'maker 1', make),
        cached_folder(tmp_path / 'new', part.bfloat16(), 'part', INPUTS, 'maker 1', make)}
    assert len(others | {first}) == 5
    assert sorted(it.name for it in (tmp_path / 'new').iterdir()) == sorted(
        it.name for it in others | {first})


def test_a_failed_conversion_leaves_nothing(tmp_path):
    def fail(folder):
        (folder / 'half').write_text('x')
        raise RuntimeError('no')
    with pytest.raises(RuntimeError):
        cached_folder(tmp_path, torch.nn.Linear(3, 3), 'part', INPUTS, 'maker', fail)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('way', ['nothing', 'file'])
def test_a_cache_that_cannot_be_written_is_said(way, tmp_path):
    cache = Path('/proc/nothing') if way == 'nothing' else tmp_path / 'file' / 'cache'
    (tmp_path / 'file').touch()
    with pytest.raises(MdepthError, match=f'cannot write {cache}: .+; XDG_CACHE_HOME may name'):
        cached_folder(cache, torch.nn.Linear(3, 3), 'part', INPUTS, 'maker', lambda _: None)


def test_a_full_disk_is_said(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(model_cache.os, 'rename', fail)
    with pytest.raises(MdepthError, match=f'cannot write {tmp_path}: No space left'):
        cached_folder(tmp_path, torch.nn.Linear(3, 3), 'part', INPUTS, 'maker', lambda _: None)
    assert not list(tmp_path.iterdir())


def test_another_process_may_be_faster(tmp_path, monkeypatch):
    def overtaken(folder):
        monkeypatch.undo()
        cached_folder(tmp_path, part, 'part', INPUTS, 'maker',
                      lambda other: (other / 'file').write_text('first'))
        (folder / 'file').write_text('second')
    part = torch.nn.Linear(3, 3)
    folder = cached_folder(tmp_path, part, 'part', INPUTS, 'maker', overtaken)
    assert [it.name for it in tmp_path.iterdir()] == [folder.name]
    assert (folder / 'file').read_text() == 'first'


def test_a_cache_that_can_only_be_read_is_read(tmp_path, monkeypatch):
    args = tmp_path, torch.nn.Linear(3, 3), 'part', INPUTS, 'maker'
    folder = cached_folder(*args, lambda _: None)

    def refuse(*_):
        raise PermissionError
    monkeypatch.setattr(model_cache.os, 'utime', refuse)
    assert cached_folder(*args, None) == folder


@pytest.mark.parametrize(('backend', 'file'), [
    (functools.partial(OpenVinoBackend, threads=1), 'model.bin'),
    (functools.partial(OnnxBackend, threads=1, provider='CPUExecutionProvider'), 'model.onnx')])
def test_files_that_were_cut_short_are_made_anew(backend, file, tmp_path, monkeypatch):
    part, x = torch.nn.Linear(300, 3).eval(), torch.rand(1, 300)

    def start():
        return backend({'single_frame': part}, tmp_path).run('single_frame', x)

    def cut():
        folder, = tmp_path.iterdir()
        for blob in folder.glob('*.blob'):  # what OpenVINO compiled
            blob.unlink()
        os.truncate(folder / file, 100)
        return folder
    first, = start()
    cut()
    assert torch.equal(start()[0], first)
    folder = cut()
    monkeypatch.setattr(model_cache.shutil, 'rmtree', lambda *_, **__: None)
    with pytest.raises(MdepthError, match=f'cannot load the converted model {folder}: .+'):
        start()


def test_openvino_does_not_say_that_a_disk_is_full_but_we_do(tmp_path):
    script = """
from pathlib import Path
import resource
import sys

from mdepth_ros.engine.backends.openvino_backend import OpenVinoBackend
import torch

backend = OpenVinoBackend({'single_frame': torch.nn.Linear(300, 300)}, Path(sys.argv[1]), 1)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
backend.run('single_frame', torch.zeros(1, 300))
"""
    run = subprocess.run([sys.executable, '-c', script, str(tmp_path)], text=True,
                         capture_output=True, timeout=100)
    last = run.stderr.splitlines()[-1]
    assert last.startswith(f'mdepth_ros.errors.MdepthError: cannot write {tmp_path}')
    assert 'is the disk full?' in last
    assert not list(tmp_path.iterdir())


def test_what_was_used_last_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(model_cache, 'KEPT', 2)
    for i in range(3):
        (tmp_path / f'old{i}').mkdir()
        os.utime(tmp_path / f'old{i}', (i, i))
    new = cached_folder(tmp_path, torch.nn.Linear(3, 3), 'part', INPUTS, 'maker', lambda _: None)
    assert {it.name for it in tmp_path.iterdir()} == {'old2', new.name}


def test_one_at_a_time_in_a_folder(tmp_path):
    """Let two nodes that start together compile the same part."""
    steps = []

    def wait_and_step():
        with alone_in(tmp_path):
            steps.append('other')
    other = threading.Thread(target=wait_and_step)
    with alone_in(tmp_path):
        other.start()
        other.join(0.3)
        steps.append('first')
    other.join(5.0)
    assert steps == ['first', 'other']


def test_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    assert default_cache() == tmp_path / 'mdepth_ros'
    monkeypatch.delenv('XDG_CACHE_HOME')
    monkeypatch.setenv('HOME', str(tmp_path))
    assert default_cache() == tmp_path / '.cache' / 'mdepth_ros'

    def no_home():
        raise RuntimeError('Could not determine home directory.')
    monkeypatch.setattr(model_cache.Path, 'home', no_home)
    with pytest.raises(MdepthError, match=r'no folder for converted .+ XDG_CACHE_HOME'):
        default_cache()
