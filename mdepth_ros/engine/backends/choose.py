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

"""Which backend runs the networks."""

from importlib.util import find_spec

from mdepth_ros.config import Backend as BackendName
from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.backends.backend import Backend
from mdepth_ros.engine.backends.cuda_backend import CudaBackend
from mdepth_ros.engine.backends.model_cache import default_cache
from mdepth_ros.engine.backends.torch_backend import TorchBackend
from mdepth_ros.engine.device import choose_device
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.networks.parts import parts_of
import torch

# Backend -> the package that runs it, by its name in Python.
PACKAGES = {'openvino': 'openvino', 'onnxruntime': 'onnxruntime', 'tensorrt': 'onnxruntime'}
CONVERTERS = ('onnx', 'onnxscript')  # what ONNX Runtime's files are written with


def automatic_backend(device: torch.device) -> BackendName:
    """Tell what ``auto`` is on a device."""
    if device.type == 'cuda':
        return 'cuda'
    return 'openvino' if device.type == 'cpu' and find_spec('openvino') else 'torch'


def computes_in_torch(name: str) -> bool:
    """Tell whether a backend works with PyTorch's threads, which only disturb those of others."""
    return name in ('torch', 'cuda')


def choose_backend(config: EngineConfig, model: DepthModel) -> Backend:
    """
    Make the backend that is asked for.

    :param config: its ``backend``, ``device``, ``method`` and ``threads`` count.
    :param model: in eval mode.
    :return: the backend, ready.
    :raises MdepthError: if it is not installed, does not run on the device, or the device is
        absent.
    """
    blended = config.method != 'published'
    name = config.backend
    missing = _missing_packages(name)
    if missing:
        raise MdepthError(f'backend {name} needs the package {missing[0]}: '
                          f'pip install {" ".join(missing)}')
    if name in ('onnxruntime', 'tensorrt'):  # it has a device of its own
        from mdepth_ros.engine.backends.onnx_backend import OnnxBackend, provider_of
        return OnnxBackend(parts_of(model, blended), default_cache(), config.threads,
                           *provider_of(name, config.device))
    device = choose_device('cpu' if (name, config.device) == ('openvino', 'auto')
                           else config.device)
    if name == 'auto':
        name = automatic_backend(device)
    if name == 'torch':
        return TorchBackend(parts_of(model, blended), device)
    wanted = 'cpu' if name == 'openvino' else 'cuda'
    if device.type != wanted:
        raise MdepthError(f'backend {name} does not run on device {device}, only on {wanted}')
    if name == 'cuda':
        return CudaBackend(parts_of(model, blended, torch.float16), device)
    from mdepth_ros.engine.backends.openvino_backend import OpenVinoBackend
    dtype = torch.bfloat16 if OpenVinoBackend.is_fast_in_bfloat16() else torch.float32
    return OpenVinoBackend(parts_of(model, blended, dtype), default_cache(), config.threads)


def _missing_packages(name: str) -> list[str]:
    """List what a backend needs and is not installed, by its name for pip."""
    package = PACKAGES.get(name)
    if package is None:
        return []
    needed = {package: 'onnxruntime-gpu' if name == 'tensorrt' else package}
    if package == 'onnxruntime':
        needed |= {converter: converter for converter in CONVERTERS}
    return [pip_name for module, pip_name in needed.items() if not find_spec(module)]
