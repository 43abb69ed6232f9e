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

"""Every backend gives PyTorch's depth; what is not installed, or cannot be, is said."""

import functools
from pathlib import Path
import re
import subprocess
import sys

from mdepth_ros.config import EngineConfig, paper_config
from mdepth_ros.engine.backends import choose, onnx_backend, openvino_backend
from mdepth_ros.engine.backends.choose import choose_backend
from mdepth_ros.engine.backends.openvino_backend import OpenVinoBackend
from mdepth_ros.engine.backends.torch_backend import TorchBackend
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import Frame, Mode
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS, load_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.networks.parts import example_inputs, parts_of
from mdepth_ros.training.synthetic import render_sequence, SceneConfig
import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

WIDTH, HEIGHT, FRAMES = 320, 96, 8


@functools.cache
def scenes():
    return [render_sequence(SceneConfig(kind, WIDTH, HEIGHT, frames=FRAMES), seed=777_000_500 + i)
            for i, kind in enumerate(4 * ('driving', 'driving', 'indoor', 'indoor', 'handheld'))]


def estimator_of(backend, method):
    return DepthEstimator.from_checkpoint(None, EngineConfig(
        'cpu', method, width=WIDTH, height=HEIGHT, backend=backend, threads=1))


def frames_of(scene, before=0):
    images = (scene.images * 255).byte().permute(0, 2, 3, 1).contiguous().numpy()
    camera = Camera(WIDTH, HEIGHT, scene.K.double().numpy())
    return [Frame(image, camera, (1 + before + i) * 10**8) for i, image in enumerate(images)]


@functools.cache
def estimates(backend, method):
    """All scenes, one after the other."""
    estimator = estimator_of(backend, method)
    found = []
    for scene in scenes():
        estimator.reset()
        found += [estimator.push(frame) for frame in frames_of(scene, len(found))]
    return found


def abs_rel(estimate, truth):
    depth, valid = estimate.depth[0, 0].numpy(), truth < 80
    scaled = depth * np.median(truth[valid]) / np.median(depth[valid])
    return float(np.mean(np.abs(scaled - truth)[valid] / truth[valid]))


@pytest.mark.parametrize('method', ['robust', 'published'])
@pytest.mark.parametrize('backend', ['openvino', 'onnxruntime'])
def test_a_backend_is_as_exact_as_pytorch(backend, method):
    """
    In bfloat16, where the CPU has it: AbsRel changes by at most 1 %.

    Over many scenes, as a depth that differs a little may be matched with another frame, and then
    differs by a fifth, for better or worse.
    """
    one, other = estimates('torch', method), estimates(backend, method)
    assert [it.mode for it in one] == [it.mode for it in other]
    assert sum(it.mode is Mode.MULTI for it in one) >= 0.7 * len(one)
    truths = [depth[0].numpy() for scene in scenes() for depth in scene.depth]
    errors = np.array([[abs_rel(it, truth) for it, truth in zip(run, truths)]
                       for run in (one, other)]).mean(axis=1)
    assert errors[1] == pytest.approx(errors[0], rel=0.01)
    print(f'AbsRel of the shipped weights, {method}: {errors[0]:.3f}')
    assert errors[0] < (0.13 if method == 'robust' else 0.25)
    assert np.mean([a.source_stamp_ns != b.source_stamp_ns for a, b in zip(one, other)]) < 0.05
    changes = [float((a.depth / b.depth).log().abs().median()) for a, b in zip(one, other)
               if a.source_stamp_ns == b.source_stamp_ns]
    # Where the scale of the motion changes, the whole image does.
    assert np.quantile(changes, 0.95) < 0.02
    assert max(changes) < 0.05
    # In single frames more: the motion is solved from a depth that differs a little.
    assert np.mean([float((a.confidence - b.confidence).abs().median())
                    for a, b in zip(one, other)]) < 0.01


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_lower_precision_leaves_coordinates_alone(dtype):
    """M-DepthNet's search is the same to a hundredth of a pixel; only scores differ a little."""
    model = load_checkpoint(DEFAULT_WEIGHTS)
    inputs = inputs_of(model)
    with torch.no_grad():
        exact, lower = (parts_of(model, True, it)['fuse'](*inputs['fuse'])
                        for it in (torch.float32, dtype))
    assert lower[0].dtype == torch.float32
    assert float((lower[0] / exact[0]).log().abs().mean()) < 0.01
    assert model.multi.feature_net.conv0[0].conv.weight.dtype == torch.float32  # a copy


def inputs_of(model):
    """Return what the parts take."""
    return example_inputs(parts_of(model.eval(), blended=False), WIDTH, HEIGHT)


class WaitsForTheHost(TorchDispatchMode):
    """Collects what a CUDA graph cannot record: constants from the host, answers to it."""

    FORBIDDEN = ('lift_fresh', '_local_scalar_dense', 'nonzero', 'item', 'masked_select')

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        if any(name in str(op) for name in self.FORBIDDEN):
            self.seen.append(str(op))
        return op(*args, **(kwargs or {}))


@pytest.mark.parametrize('profile', ['lite', 'paper'])
def test_a_cuda_graph_could_record_every_part(profile):
    torch.manual_seed(0)
    model = load_checkpoint(DEFAULT_WEIGHTS) if profile == 'lite' else DepthModel(paper_config())
    inputs = inputs_of(model)
    for name, part in parts_of(model.eval(), blended=False).items():
        with torch.inference_mode(), WaitsForTheHost() as mode:
            part(*inputs[name])
        assert not mode.seen, name


@pytest.mark.parametrize(('backend', 'module', 'converter'), [
    ('openvino', openvino_backend, 'write_openvino'), ('onnxruntime', onnx_backend, 'write_onnx')])
def test_the_second_start_converts_nothing(backend, module, converter, monkeypatch):
    estimates(backend, 'robust')
    monkeypatch.setattr(module, converter, None)
    estimator = estimator_of(backend, 'robust')
    assert [estimator.push(frame).mode for frame in frames_of(scenes()[0])[:2]] == [
        Mode.SINGLE, Mode.MULTI]


def test_as_many_threads_as_asked():
    parts = parts_of(load_checkpoint(DEFAULT_WEIGHTS), blended=True)
    found = OpenVinoBackend(parts, Path(), 3)
    assert [found._threads_for(part) for part in ('single', 'describe', 'fuse')] == [3, 1, 3]
    found = onnx_backend.OnnxBackend(parts, Path(), 3, 'CPUExecutionProvider')
    assert found._options.intra_op_num_threads == 3


def test_other_weights_are_other_files(tmp_path):
    model = load_checkpoint(DEFAULT_WEIGHTS)
    inputs = inputs_of(model)['unmatched']
    for gain in (0.0, 3.0):
        torch.nn.init.constant_(model.trust.correct.last.bias, gain)
        parts = parts_of(model, blended=True)
        confidence, = OpenVinoBackend(parts, tmp_path, threads=1).start('unmatched', *inputs)()
        truth, = parts['unmatched'](*inputs)
        assert torch.allclose(confidence, truth.detach(), atol=1e-4)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(('backend', 'missing', 'said'), [
    ('openvino', '.*', 'openvino: pip install openvino$'),
    ('onnxruntime', '.*', 'onnxruntime: pip install onnxruntime onnx onnxscript$'),
    ('onnxruntime', 'onnx', 'onnx: pip install onnx$'),
    ('onnxruntime', 'onnxscript', 'onnxscript: pip install onnxscript$'),
    ('tensorrt', 'onnxruntime', 'onnxruntime-gpu: pip install onnxruntime-gpu$')])
def test_what_is_not_installed_is_said(backend, missing, said, monkeypatch):
    monkeypatch.setattr(choose, 'find_spec',
                        lambda name: None if re.fullmatch(missing, name) else name)
    with pytest.raises(MdepthError, match=f'backend {backend} needs the package {said}'):
        choose_backend(EngineConfig('cpu', backend=backend), load_checkpoint(DEFAULT_WEIGHTS))


def test_auto_does_with_what_is_there(monkeypatch):
    model = load_checkpoint(DEFAULT_WEIGHTS)
    assert choose_backend(EngineConfig('cpu'), model).name == 'openvino'
    monkeypatch.setattr(choose, 'find_spec', lambda name: None)
    assert choose_backend(EngineConfig('cpu'), model).name == 'torch'


def test_openvino_takes_the_cpu_beside_a_gpu(monkeypatch):
    pytest.importorskip('openvino')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    found = choose_backend(EngineConfig(backend='openvino'), load_checkpoint(DEFAULT_WEIGHTS))
    assert (found.name, found.device.type) == ('openvino', 'cpu')


def test_what_cannot_be_is_said():
    with pytest.raises(MdepthError, match='backend cuda does not run on device cpu'):
        choose_backend(EngineConfig('cpu', backend='cuda'), load_checkpoint(DEFAULT_WEIGHTS))


class Full(torch.nn.Module):
    """As on a GPU that another program has filled."""

    def forward(self, x):
        raise torch.OutOfMemoryError('CUDA out of memory.\nTried to allocate 1 GiB')


def test_a_device_without_room_is_said():
    backend = TorchBackend({'part': Full()}, torch.device('cpu'))
    with pytest.raises(MdepthError, match=r'cannot run part at .*pixel_budget: CUDA'):
        backend.run('part', torch.ones(1))


def test_nothing_is_reported_to_anybody():
    """Unless it is kept from it, OpenVINO's converter starts processes that call its makers."""
    pytest.importorskip('openvino')
    script = """
from mdepth_ros.engine.backends import openvino_backend
from openvino.tools.ovc import telemetry_utils
print(telemetry_utils.tm.__name__)
"""
    used = subprocess.run([sys.executable, '-c', script], text=True, capture_output=True,
                          timeout=100, check=True)
    assert used.stdout == 'openvino.tools.ovc.telemetry_stub\n'
