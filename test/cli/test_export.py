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

"""``mdepth export`` writes what others can run with nothing but the description."""

import json
import math

from mdepth_ros.cli.main import main, parse
from mdepth_ros.config import EngineConfig, lite_config, paper_config
from mdepth_ros.engine import export
from mdepth_ros.networks.canonical import depth_per_canonical
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS, load_checkpoint
from mdepth_ros.networks.parts import example_inputs, parts_of
import numpy as np
import onnxruntime
import openvino
import pytest
import torch

SIZE = ['--size', '96x64']


def run_onnx(path, inputs, outputs):
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    return session.run(outputs, inputs)


def run_openvino(path, inputs, outputs):
    exact = {'INFERENCE_PRECISION_HINT': 'f32'}
    answer = openvino.Core().compile_model(path, 'CPU', exact)(inputs)
    return [answer[name] for name in outputs]


@pytest.mark.parametrize(('kind', 'run'), [('onnx', run_onnx), ('openvino', run_openvino)])
def test_the_description_is_enough(tmp_path, kind, run, capsys):
    assert main(['export', '--format', kind, '--out', str(tmp_path), '--sources', '2',
                 '--method', 'published', *SIZE]) == 0
    assert capsys.readouterr().out.count('differs from PyTorch by') == 5
    described = json.loads((tmp_path / 'mdepth.json').read_text())
    model = load_checkpoint(DEFAULT_WEIGHTS)
    assert described['model'] == model.config.to_dict()
    parts = parts_of(model, blended=False)
    wanted = example_inputs(parts, 96, 64, sources=2)
    for name, part in described['parts'].items():
        inputs = {one['name']: x.contiguous().numpy()
                  for one, x in zip(part['inputs'], wanted[name])}
        assert [one['shape'] for one in part['inputs']] == [list(x.shape) for x in wanted[name]]
        found = run(str(tmp_path / part['file']), inputs,
                    [one['name'] for one in part['outputs']])
        with torch.no_grad():
            expected = parts[name](*wanted[name])
        for one, a, b in zip(part['outputs'], found,
                             expected if isinstance(expected, tuple) else (expected,)):
            assert one['shape'] == list(a.shape)
            np.testing.assert_allclose(a, b, atol=1e-3 * float(b.abs().max()))


def test_the_focal_length_makes_it_this_cameras_depth():
    K = torch.tensor([[[300.0, 0, 319.5], [0, 290.0, 95.5], [0, 0, 1]]])
    expected = depth_per_canonical(lite_config(), K, 192, 640)
    assert math.sqrt(300 * 290) * export._depth_per_focal(lite_config(), 640, 192) == (
        pytest.approx(float(expected)))
    assert export._depth_per_focal(paper_config(), 640, 192) is None


def test_a_file_that_differs_is_refused(tmp_path, monkeypatch, capsys):
    real = export._openvino
    monkeypatch.setattr(export, '_openvino', lambda part, inputs, *rest: [
        1.01 * it for it in real(part, inputs, *rest)])
    assert main(['export', '--format', 'openvino', '--out', str(tmp_path), *SIZE]) == 1
    assert 'single_frame.xml differs from PyTorch by 1.0e-02' in capsys.readouterr().err


def test_it_exports_what_the_node_runs():
    words, default = parse(['export']), EngineConfig()
    assert (words.sources, words.method) == (default.sources, default.method)
    assert words.size == (640, 192)


def test_a_file_in_the_way_is_said(tmp_path, capsys):
    (tmp_path / 'file').touch()
    assert main(['export', '--out', str(tmp_path / 'file'), *SIZE]) == 1
    assert f'cannot make the folder {tmp_path}/file: File exists' in capsys.readouterr().err


@pytest.mark.parametrize(('size', 'said'), [
    ('100x64', 'width must be 0 or a multiple of 32'), ('0x64', "must be WxH, got '0x64'")])
def test_a_size_that_cannot_be_is_said(size, said, capsys):
    with pytest.raises(SystemExit, match='2'):
        main(['export', '--size', size])
    assert said in capsys.readouterr().err
