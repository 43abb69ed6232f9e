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

from dataclasses import replace
import json
import subprocess
import sys
import time
from types import SimpleNamespace

from mdepth_ros.cli.bench import command
from mdepth_ros.cli.bench.job import Job
from mdepth_ros.cli.main import main
from mdepth_ros.config import EngineConfig, lite_config
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import Frame
from mdepth_ros.engine.measure import measure
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.checkpoint import save_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
import numpy as np
import pytest
import torch

KEYS = {'latency_ms', 'p95_ms', 'fps', 'ratio_to_eager', 'rss_mb', 'stages'}
SMALL = ['--size', '64x64', '--image', '96x80', '--frames', '3']


def test_table_and_json(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, 'SIZES', [(96, 64)])
    monkeypatch.setattr(command, 'HYPOTHESES', [4])
    file = tmp_path / 'new' / 'bench.json'
    assert main(['bench', '--json', str(file), '--backend', 'torch', '--device', 'cpu',
                 '--busy', '1', '--growth', *SMALL]) == 0
    report = json.loads(file.read_text())
    assert report.keys() >= KEYS
    assert report['fps'] == pytest.approx(1e3 / report['latency_ms'])
    assert report['ratio_to_eager'] == pytest.approx(report['eager_ms'] / report['latency_ms'])
    assert report['p95_ms'] >= report['latency_ms'] > max(report['stages'].values())
    assert list(report['stages']) == ['preprocess', 'single', 'pose', 'multi', 'cloud']
    assert report['rss_mb'] > 100
    assert (report['backend'], report['size'], report['busy']) == ('torch on cpu', '64x64', 1)
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith('|')]
    assert rows[2].startswith(f'| lite | 64x64 | {report["latency_ms"]:.1f} | ')
    (size,), (number,) = report['sizes'], report['numbers_of_hypotheses']
    assert (size['size'], size['pixels'], number['hypotheses']) == ('96x64', 6144, 4)
    assert rows[5].startswith(f'| 96x64 | 6144 | {size["latency_ms"]:.1f} | ')
    assert rows[8] == f'| 4 | {number["latency_ms"]:.1f} |'


def test_untrained_networks_match_by_pose_net(tmp_path):
    file = tmp_path / 'bench.json'
    assert main(['bench', '--profile', 'paper', '--device', 'cpu', '--json', str(file),
                 *SMALL]) == 0
    report = json.loads(file.read_text())
    assert (report['method'], report['matched']) == ('published', 1.0)
    assert report['backend'] == 'openvino on cpu'


def test_the_node_beside_the_engine_at_the_same_rate(tmp_path, capsys, monkeypatch):
    driven = pytest.importorskip('mdepth_ros.cli.driven_node')
    for name, value in driven.session_environment(tmp_path).items():  # it would stay set
        monkeypatch.setenv(name, value)
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
    (['--backend', 'cuda', '--device', 'cpu'], 'backend cuda does not run on device cpu'),
    (['--json', '/'], '--json / is a folder'),
    (['--json', '/dev/null/bench.json'], 'cannot make the folder /dev/null'),
    (['--node', '--profile', 'paper'], '--node needs trained weights'),
])
def test_what_cannot_be_is_said(words, said, capsys):
    assert main(['bench', *SMALL, *words]) == 1
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ''


def test_without_ros_the_node_is_refused_before_anything_is_measured():
    code = ('import sys; sys.modules["rclpy"] = None;'
            'from mdepth_ros.cli.main import main; sys.exit(main(sys.argv[1:]))')
    done = subprocess.run([sys.executable, '-c', code, 'bench', '--node', *SMALL],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "`mdepth bench --node` needs the Python module 'rclpy" in done.stderr
    assert "pip install '.[tools]'" in done.stderr
    assert (done.stdout, 'Traceback' in done.stderr) == ('', False)


def test_the_report_is_of_the_weights_that_ran(tmp_path):
    weights, file = tmp_path / 'eight.safetensors', tmp_path / 'bench.json'
    torch.manual_seed(0)
    save_checkpoint(DepthModel(replace(lite_config(), hypotheses=8)), weights, torch.float16)
    assert main(['bench', '--profile', 'paper', '--weights', str(weights), '--backend', 'torch',
                 '--json', str(file), *SMALL]) == 0
    report = json.loads(file.read_text())
    assert (report['profile'], report['hypotheses']) == ('lite', 8)


def test_a_node_whose_clouds_never_come_is_one_line(tmp_path, monkeypatch):
    node = pytest.importorskip('mdepth_ros.cli.bench.node')
    session = SimpleNamespace(check=lambda: None, times=lambda: {}, recording=tmp_path,
                              played=[SimpleNamespace(stamp_ns=n) for n in range(8)])
    monkeypatch.setattr(node, 'run_session', lambda *arguments, **options: session)
    monkeypatch.setattr(node, 'diagnostic_values', lambda *arguments: [])
    scene = tmp_path / 'scene.npz'
    np.savez(scene, images=np.zeros((2, 80, 96, 3), np.uint8),
             K=Camera.from_fov(96, 80, 90.0).K)
    job = Job(scene, lite_config(), EngineConfig(), None, trained=True, frames=3, busy=0)
    with pytest.raises(MdepthError, match='0 clouds and 0 latencies of 8 images were received'):
        node.measure_node(job, tmp_path)


@pytest.mark.parametrize('words', [['--frames', '0'], ['--size', '0x64'], ['--size', '65x64'],
                                   ['--image', '96x'], ['--image', '\u00b2x2']])
def test_what_makes_no_sense(words, capsys):
    with pytest.raises(SystemExit, match='2'):
        main(['bench', *SMALL, *words])
    assert f'argument {words[0]}: ' in capsys.readouterr().err
