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

"""``mdepth bench`` from the command line to table and JSON."""

import json
import time

from mdepth_ros.cli.main import main
from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import Frame
from mdepth_ros.engine.measure import measure
import numpy as np
import pytest

KEYS = {'latency_ms', 'p95_ms', 'fps', 'ratio_to_eager', 'rss_mb', 'stages'}
SMALL = ['--size', '64x64', '--image', '96x80', '--frames', '3']


def test_table_and_json(tmp_path, capsys):
    file = tmp_path / 'new' / 'bench.json'
    assert main(['bench', '--json', str(file), '--backend', 'torch', '--busy', '1', *SMALL]) == 0
    report = json.loads(file.read_text())
    assert report.keys() >= KEYS
    assert report['fps'] == pytest.approx(1e3 / report['latency_ms'])
    assert report['ratio_to_eager'] == pytest.approx(report['eager_ms'] / report['latency_ms'])
    assert report['p95_ms'] >= report['latency_ms'] > max(report['stages'].values())
    assert list(report['stages']) == ['preprocess', 'single', 'pose', 'multi', 'cloud']
    assert report['rss_mb'] > 100
    assert (report['backend'], report['size'], report['busy']) == ('torch on cpu', '64x64', 1)
    row = capsys.readouterr().out.splitlines()[-3]
    assert row.startswith(f'| lite | 64x64 | {report["latency_ms"]:.1f} | ')


def test_untrained_networks_match_by_pose_net(tmp_path):
    file = tmp_path / 'bench.json'
    assert main(['bench', '--profile', 'paper', '--json', str(file), *SMALL]) == 0
    report = json.loads(file.read_text())
    assert (report['method'], report['matched']) == ('published', 1.0)
    assert report['backend'] == 'openvino on cpu'


def test_the_node_beside_the_engine_at_the_same_rate(tmp_path, capsys):
    pytest.importorskip('rclpy')
    file = tmp_path / 'bench.json'
    assert main(['bench', '--node', '--sources', '1', '--json', str(file), *SMALL[:4],
                 '--frames', '10']) == 0
    report = json.loads(file.read_text())
    node = report['node']
    assert min(node['engine_ms'], node['node_ms'], node['received_ms']) > 0
    assert node['missed'] < 15
    # Loading alone takes a second; the images that follow are not part of it.
    assert 1 < node['first_s'] < 60
    assert 100 < node['rss_mb'] < 4000
    row = capsys.readouterr().out.splitlines()[-1]
    assert row.startswith(f'| {node["engine_ms"]:.1f} | {node["node_ms"]:.1f} | ')


def test_frames_come_at_the_pace_asked(tmp_path):
    camera = Camera.from_fov(96, 80, 90.0)
    frames = [Frame(np.zeros((80, 96, 3), np.uint8), camera, n + 1) for n in range(8)]
    estimator = DepthEstimator.from_checkpoint(None, EngineConfig(
        backend='torch', width=64, height=64))
    started_s = time.perf_counter()
    measure(estimator, frames, started_s, period_s=0.3)
    assert time.perf_counter() - started_s >= 7 * 0.3


@pytest.mark.parametrize(('words', 'said'), [
    (['--size', '65x64'], 'width must be 0 or a multiple of 32'),
    (['--backend', 'cuda', '--device', 'cpu'], 'backend cuda does not run on device cpu'),
    (['--json', '/'], '--json / is a folder'),
    (['--json', '/dev/null/bench.json'], 'cannot make the folder /dev/null'),
])
def test_what_cannot_be_is_said(words, said, capsys):
    assert main(['bench', *SMALL, *words]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize('words', [['--frames', '0'], ['--size', '0x64'], ['--image', '96x'],
                                   ['--image', '\u00b2x2']])
def test_what_makes_no_sense(words, capsys):
    with pytest.raises(SystemExit, match='2'):
        main(['bench', *SMALL, *words])
    assert f'argument {words[0]}: must be ' in capsys.readouterr().err
