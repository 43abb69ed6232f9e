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

"""``mdepth robustness`` from the command line to table and JSON."""

import json

from mdepth_ros.cli.main import main
from mdepth_ros.training.datasets.rendered import write_sequence
from mdepth_ros.training.robustness import runs
from mdepth_ros.training.robustness.bench import Bench
from mdepth_ros.training.robustness.run import run_robustness
from mdepth_ros.training.synthetic import render_sequence, SceneConfig
import pytest

SMALL = ['--size', '64x64', '--worlds', '1', '--frames-per-world', '2', '--device', 'cpu']


@pytest.fixture
def recording(tmp_path):
    """Three frames with truth."""
    folder = tmp_path / 'recording'
    write_sequence(render_sequence(SceneConfig('handheld', 64, 64, frames=3), 3), folder)
    return folder


def test_table_and_json(tiny_weights, recording, tmp_path, capsys):
    file = tmp_path / 'new' / 'robustness.json'
    assert main(['robustness', '--weights', str(tiny_weights), '--only', 'static_camera',
                 'moving_objects', '--json', str(file), '--frames', str(recording),
                 '--first', '1', '--last', '2', '--processes', '1', *SMALL]) == 0
    report = json.loads(file.read_text())
    assert list(report['classes']) == ['static_camera', 'moving_objects', 'recording']
    assert report['classes']['recording']['frames'] == 2
    values = report['classes']['moving_objects']
    assert values['frames'] == 2
    ours = values['ours']
    assert ours['ratio'] == pytest.approx(ours['abs_rel'] / values['single']['abs_rel'])
    assert report['worst']['ratio'] == max(
        one['ours']['ratio'] for name, one in report['classes'].items() if name != 'recording')
    confidence = report['confidence']['ours']
    assert confidence['ratio'] == pytest.approx(
        confidence['ause'] / confidence['ause_by_chance'])
    assert 0 <= confidence['pooled']['off_kept'] <= 1
    assert report['rates'] == report['events'] == {}
    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if line.startswith('| moving objects |'))
    assert f' {ours["abs_rel"]:.3f} ' in row
    assert len({line.count('|') for line in lines if line.startswith('|')}) == 1


def test_processes_do_not_change_the_numbers(tiny_weights):
    bench = Bench(tiny_weights, 64, 64, frames=1, device='cpu')
    parts = ['pure_rotation', 'indoor']
    alone, together = (run_robustness(bench, 1, parts, processes=n) for n in (1, 2))
    assert list(alone['classes']) == list(together['classes']) == ['indoor', 'pure_rotation']
    for name, values in alone['classes'].items():
        # Threads add up in another order.
        assert together['classes'][name]['ours']['abs_rel'] == pytest.approx(
            values['ours']['abs_rel'], rel=1e-4)


@pytest.mark.parametrize(('words', 'said'), [
    (['--weights', 'nowhere.safetensors'], 'nowhere.safetensors'),
    (['--frames', 'nowhere'], 'nowhere'),
    (['--last', '5'], '--frames'),
    (['--json', '/'], 'is a folder'),
    (['--worlds', '1001'], 'each scene class has 1000 worlds, asked for 1001'),
])
def test_what_is_not_there_is_told_at_once(words, said, tiny_weights, capsys, monkeypatch):
    monkeypatch.setattr(runs, 'score_views', None)  # nothing is played
    arguments = ['robustness', '--weights', str(tiny_weights), '--only', 'indoor', '--processes',
                 '1', *SMALL]
    assert main([*arguments, *words]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize('words', [['--size', '100x64'], ['--size', '64'], ['--size', '0x0'],
                                   ['--worlds', '0'], ['--only', 'underwater']])
def test_what_makes_no_sense(words):
    with pytest.raises(SystemExit, match='2'):
        main(['robustness', *words])
