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

"""ONNX Runtime: CPUs, and by its providers CUDA and TensorRT."""

from collections.abc import Callable, Mapping, Sequence
import logging
import os
from pathlib import Path
import warnings

from mdepth_ros.engine.backends.backend import Outputs
from mdepth_ros.engine.backends.model_cache import cached_folder
from mdepth_ros.errors import MdepthError
import onnxruntime
import torch
from torch import nn, Tensor

FILE = 'model.onnx'
# The first that knows grid sampling with all that it is used with here.
OPSET = 18


def write_onnx(
    part: nn.Module, inputs: Sequence[Tensor], path: Path, input_names: Sequence[str] = (),
    output_names: Sequence[str] = (),
) -> None:
    """
    Convert a part.

    :param part: in eval mode, on the CPU.
    :param inputs: of the shapes that it is for.
    :param path: ``*.onnx`` to write.
    :param input_names: in their order; the exporter's own where missing.
    :param output_names: likewise.
    """
    exporter = logging.getLogger('torch.onnx')
    level = exporter.level
    exporter.setLevel(logging.ERROR)  # it complains that there is no torchvision
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter('ignore')
            # Two inputs that are one tensor would become one input.
            apart = tuple(x.clone() for x in inputs)
            torch.onnx.export(part, apart, path, input_names=input_names or None,
                              output_names=output_names or None, opset_version=OPSET, dynamo=True,
                              external_data=False, verbose=False)
    finally:
        exporter.setLevel(level)


def provider_of(backend: str, device: str) -> str:
    """
    Name the provider for a backend and a device.

    :param backend: ``onnxruntime`` or ``tensorrt``.
    :param device: as in :class:`EngineConfig`; ``auto`` is CUDA where ONNX Runtime has it.
    """
    if backend == 'tensorrt':
        return 'TensorrtExecutionProvider'
    cuda = 'CUDAExecutionProvider'
    if device.startswith('cuda') or (
            device == 'auto' and cuda in onnxruntime.get_available_providers()):
        return cuda
    return 'CPUExecutionProvider'


class OnnxBackend:
    """
    Converts each part for the shapes that come, once per machine.

    :param parts: by name, on the CPU.
    :param cache: folder for converted parts.
    :param threads: cores to use; 0 is all that this process may.
    :param provider: such as ``CPUExecutionProvider``, ``CUDAExecutionProvider``,
        ``TensorrtExecutionProvider``.
    :raises MdepthError: if this ONNX Runtime lacks the provider.
    """

    compiles = True
    device = torch.device('cpu')

    def __init__(
        self, parts: Mapping[str, nn.Module], cache: Path, threads: int, provider: str
    ) -> None:
        available = onnxruntime.get_available_providers()
        if provider not in available:
            raise MdepthError(f'this ONNX Runtime has no {provider}, it has '
                              f'{", ".join(available)}: install onnxruntime-gpu')
        self.name = f'onnxruntime ({provider})'
        self._parts, self._cache, self._provider = parts, cache, provider
        self._options = onnxruntime.SessionOptions()
        self._options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
        self._sessions: dict[tuple[str, tuple[torch.Size, ...]], onnxruntime.InferenceSession] = {}

    def start(self, part: str, *inputs: Tensor) -> Callable[[], Outputs]:
        """Run a part, see :class:`Backend`; it is over when this returns."""
        key = part, tuple(x.shape for x in inputs)
        session = self._sessions.get(key)
        if session is None:
            session = self._sessions[key] = self._load(part, inputs)
        arrays = {node.name: x.numpy() for node, x in zip(session.get_inputs(), inputs)}
        outputs = tuple(torch.from_numpy(array) for array in session.run(None, arrays))
        return lambda: outputs

    def _load(self, part: str, inputs: tuple[Tensor, ...]) -> onnxruntime.InferenceSession:
        """Convert for these shapes."""
        module = self._parts[part]
        folder = cached_folder(self._cache, module, part, inputs, f'onnx {torch.__version__}',
                               lambda folder: write_onnx(module, inputs, folder / FILE))
        return onnxruntime.InferenceSession(folder / FILE, self._options,
                                            providers=[self._provider])
