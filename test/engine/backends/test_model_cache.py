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

import os
import threading

from mdepth_ros.engine.backends import model_cache
from mdepth_ros.engine.backends.model_cache import alone_in, cached_folder, default_cache
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
