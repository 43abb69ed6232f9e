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

"""ONNX Runtime runs where it was asked to, or says why not."""

from mdepth_ros.engine.backends import onnx_backend
from mdepth_ros.engine.backends.onnx_backend import OnnxBackend, provider_of
from mdepth_ros.errors import MdepthError
import pytest
import torch


def test_the_provider_of_a_device(monkeypatch):
    monkeypatch.setattr(onnx_backend.onnxruntime, 'get_available_providers', list)
    assert provider_of('tensorrt', 'auto') == ('TensorrtExecutionProvider', 0)
    assert provider_of('onnxruntime', 'cuda:1') == ('CUDAExecutionProvider', 1)
    for device in ('cpu', 'auto'):
        assert provider_of('onnxruntime', device) == ('CPUExecutionProvider', 0)
    monkeypatch.setattr(onnx_backend.onnxruntime, 'get_available_providers',
                        lambda: ['CUDAExecutionProvider'])
    assert provider_of('onnxruntime', 'auto') == ('CUDAExecutionProvider', 0)
    with pytest.raises(MdepthError, match='backend tensorrt does not run on device cpu'):
        provider_of('tensorrt', 'cpu')


@pytest.mark.parametrize('device', ['nonsense', 'mps', 'cudax', 'cuda:', 'cuda:-1'])
def test_other_devices_are_refused(device):
    with pytest.raises(MdepthError, match=r"must be 'auto', 'cpu' or 'cuda\[:N\]', got"):
        provider_of('onnxruntime', device)


def test_a_provider_that_is_not_there_is_said(tmp_path):
    with pytest.raises(MdepthError, match=r'has no NoSuchProvider, it has .*CPUExecutionProvider'):
        OnnxBackend({}, tmp_path, 1, 'NoSuchProvider')


class Enormous(torch.nn.Module):
    """In PyTorch a view, elsewhere 36 TB."""

    def forward(self, x):
        return x.expand(3_000_000, 3_000_000)


def test_a_part_that_has_no_room_is_said(tmp_path):
    backend = OnnxBackend({'part': Enormous()}, tmp_path, 1, 'CPUExecutionProvider')
    for _ in range(2):
        with pytest.raises(MdepthError, match='cannot run part at this size, see the parameter '
                                              r'network\.pixel_budget: .*allocat'):
            backend.run('part', torch.ones(1, 1))


@pytest.mark.parametrize('provider', ['CUDAExecutionProvider', 'TensorrtExecutionProvider'])
def test_another_provider_than_the_one_asked_for_is_said(provider, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_backend.onnxruntime, 'get_available_providers',
                        lambda: ['CPUExecutionProvider', provider])
    backend = OnnxBackend({'part': torch.nn.Linear(3, 2)}, tmp_path, 1, provider, index=1)
    with (pytest.warns(UserWarning, match='is not in available provider names'),
          pytest.raises(MdepthError, match=f'CPUExec.* instead of {provider}, device 1')):
        backend.run('part', torch.zeros(1, 3))


@pytest.mark.parametrize(('provider', 'names'), [
    ('CPUExecutionProvider', ['CPUExecutionProvider']),
    ('CUDAExecutionProvider', ['CUDAExecutionProvider']),
    ('TensorrtExecutionProvider', ['TensorrtExecutionProvider', 'CUDAExecutionProvider'])])
def test_a_provider_gets_its_gpu_and_a_place_for_its_engines(
        provider, names, tmp_path, monkeypatch):
    asked = []

    class Session:

        def __init__(self, path, options, providers):
            asked.append((path.parent, providers))

        def get_providers(self):
            return [provider, 'CPUExecutionProvider']

        def get_inputs(self):
            return []

        def run(self, names, arrays):
            return []
    monkeypatch.setattr(onnx_backend.onnxruntime, 'get_available_providers', lambda: names)
    monkeypatch.setattr(onnx_backend.onnxruntime, 'InferenceSession', Session)
    backend = OnnxBackend({'part': torch.nn.Linear(3, 2)}, tmp_path, 1, provider, index=1)
    backend.run('part', torch.zeros(1, 3))
    (folder, providers), = asked
    assert [name for name, _ in providers] == names
    for name, options in providers:
        assert options.get('device_id', 0) == (name != 'CPUExecutionProvider')
        if name == 'TensorrtExecutionProvider':
            assert options['trt_engine_cache_enable']
            assert options['trt_engine_cache_path'] == str(folder)
