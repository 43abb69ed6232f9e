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

from collections.abc import Mapping, Sequence
from importlib.metadata import version
import logging
import os
from pathlib import Path
import re
from typing import Any
import warnings

from mdepth_ros.engine.backends.backend import Backend, Outputs, refusals
from mdepth_ros.engine.backends.model_cache import load_cached
from mdepth_ros.errors import MdepthError
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime
import torch
from torch import nn, Tensor

FILE = 'model.onnx'
# The first that knows grid sampling with all that it is used with here.
OPSET = 18
CPU, CUDA, TENSORRT = 'CPUExecutionProvider', 'CUDAExecutionProvider', 'TensorrtExecutionProvider'
# What a file that is not whole raises, or a device without room; none of them is a RuntimeError.
REFUSALS = (runtime.EPFail, runtime.Fail, runtime.InvalidArgument, runtime.InvalidGraph,
            runtime.InvalidProtobuf, runtime.NoSuchFile, runtime.RuntimeException)


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


def provider_of(backend: str, device: str) -> tuple[str, int]:
    """
    Find the provider for a backend and a device.

    :param backend: ``onnxruntime`` or ``tensorrt``.
    :param device: as in :class:`EngineConfig`; ``auto`` is CUDA where ONNX Runtime has it.
    :return: the provider's name, and the number of its GPU.
    :raises MdepthError: if there is no such device, or the backend does not run on it.
    """
    match = re.fullmatch(r'auto|cpu|cuda(?::(\d+))?', device)
    if match is None:
        raise MdepthError(f"device must be 'auto', 'cpu' or 'cuda[:N]', got {device!r}")
    index = int(match[1] or 0)
    if backend == 'tensorrt':
        if device == 'cpu':
            raise MdepthError('backend tensorrt does not run on device cpu, only on cuda')
        return TENSORRT, index
    if device == 'cpu' or (device == 'auto' and CUDA not in onnxruntime.get_available_providers()):
        return CPU, 0
    return CUDA, index


class OnnxBackend(Backend):
    """
    Converts each part for the shapes that come, once per machine.

    :param parts: by name, on the CPU.
    :param cache: folder for converted parts.
    :param threads: cores to use; 0 is all that this process may.
    :param provider: such as ``CPUExecutionProvider``, ``CUDAExecutionProvider``,
        ``TensorrtExecutionProvider``.
    :param index: number of the GPU.
    :raises MdepthError: if this ONNX Runtime lacks the provider.
    """

    compiles = True
    device = torch.device('cpu')

    def __init__(
        self, parts: Mapping[str, nn.Module], cache: Path, threads: int, provider: str,
        index: int = 0,
    ) -> None:
        available = onnxruntime.get_available_providers()
        if provider not in available:
            raise MdepthError(f'this ONNX Runtime has no {provider}, it has '
                              f'{", ".join(available)}: install onnxruntime-gpu')
        self.name = f'onnxruntime ({provider})'
        self._parts, self._cache, self._provider, self._index = parts, cache, provider, index
        self._options = onnxruntime.SessionOptions()
        self._options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
        self._sessions: dict[tuple[str, tuple[torch.Size, ...]], onnxruntime.InferenceSession] = {}

    def run(self, part: str, *inputs: Tensor) -> Outputs:
        """Run a part, see :class:`Backend`."""
        key = part, tuple(x.shape for x in inputs)
        session = self._sessions.get(key)
        if session is None:
            session = self._sessions[key] = self._load(part, inputs)
        arrays = {node.name: x.numpy() for node, x in zip(session.get_inputs(), inputs)}
        with refusals(part, *REFUSALS):
            return tuple(torch.from_numpy(array) for array in session.run(None, arrays))

    def _load(self, part: str, inputs: tuple[Tensor, ...]) -> onnxruntime.InferenceSession:
        """Convert for these shapes."""
        module = self._parts[part]
        maker = f'onnxscript {version("onnxscript")}'
        return load_cached(self._cache, module, part, inputs, maker,
                           lambda folder: write_onnx(module, inputs, folder / FILE), self._open)

    def _open(self, folder: Path) -> onnxruntime.InferenceSession:
        """Make a session that runs where it was asked to."""
        try:
            session = onnxruntime.InferenceSession(folder / FILE, self._options,
                                                   providers=self._providers(folder))
        except REFUSALS as error:
            raise RuntimeError(str(error)) from error
        # Where a provider's libraries cannot be loaded it goes on with another, and only logs it.
        used = session.get_providers()[0]
        if used != self._provider:
            raise MdepthError(f'ONNX Runtime runs on {used} instead of {self._provider}, device '
                              f'{self._index}: what it has logged says why')
        return session

    def _providers(self, folder: Path) -> list[tuple[str, dict[str, Any]]]:
        """Set the provider up, and the one that runs what it cannot."""
        device = {'device_id': self._index}
        if self._provider == TENSORRT:
            # Engines take minutes to build.
            return [(TENSORRT, {**device, 'trt_engine_cache_enable': True,
                                'trt_engine_cache_path': str(folder)}), (CUDA, device)]
        return [(self._provider, device if self._provider == CUDA else {})]
