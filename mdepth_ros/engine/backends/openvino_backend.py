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

"""OpenVINO: the fastest on CPUs, and the one that other processes disturb least."""

from collections.abc import Callable, Mapping, Sequence
import os
from pathlib import Path
from typing import Any
import warnings

from mdepth_ros.engine.backends.backend import Backend, Outputs
from mdepth_ros.engine.backends.model_cache import alone_in, load_cached
from mdepth_ros.errors import MdepthError, one_line
import numpy as np
from numpy.typing import NDArray
import openvino
import torch
from torch import nn, Tensor

FILE = 'model.xml'


def write_openvino(
    part: nn.Module, inputs: Sequence[Tensor], path: Path, input_names: Sequence[str] = (),
    output_names: Sequence[str] = (),
) -> None:
    """
    Convert a part.

    :param part: in eval mode, on the CPU.
    :param inputs: of the shapes that it is for.
    :param path: ``*.xml`` to write; the weights go beside it.
    :param input_names: in their order; the converter's own where missing.
    :param output_names: likewise.
    :raises MdepthError: if the disk does not take it.
    """
    with torch.no_grad(), warnings.catch_warnings():
        # Shapes are fixed, and so are the answers of all checks.
        warnings.simplefilter('ignore')
        model = openvino.convert_model(
            part, example_input=tuple(torch.rand_like(x) for x in inputs),
            input=[tuple(x.shape) for x in inputs])
    for ports, names in ((model.inputs, input_names), (model.outputs, output_names)):
        for port, name in zip(ports, names):
            port.get_tensor().set_names({name})
    openvino.save_model(model, path, compress_to_fp16=False)
    try:  # a full disk goes unnoticed when saving
        openvino.Core().read_model(path)
    except RuntimeError as error:
        raise MdepthError(f'cannot write {path}, what was written is not whole (is the disk '
                          f'full?): {one_line(error)}') from error


class OpenVinoBackend(Backend):
    """
    Compiles each part for the shapes that come, once per machine.

    :param parts: by name, on the CPU.
    :param cache: folder for converted and compiled parts.
    :param threads: cores to use; 0 is all that this process may.
    """

    name = 'openvino'
    compiles = True
    device = torch.device('cpu')

    def __init__(self, parts: Mapping[str, nn.Module], cache: Path, threads: int) -> None:
        self._parts = parts
        self._cache = cache
        self._threads = threads or len(os.sched_getaffinity(0))
        self._core = openvino.Core()
        self._requests: dict[tuple[str, tuple[torch.Size, ...]], Any] = {}

    @staticmethod
    def is_fast_in_bfloat16() -> bool:
        """Tell whether this CPU multiplies bfloat16 in hardware."""
        return 'BF16' in openvino.Core().get_property('CPU', 'OPTIMIZATION_CAPABILITIES')

    def run(self, part: str, *inputs: Tensor) -> Outputs:
        """
        Run a part, see :class:`Backend`.

        Not as one that is started and waited for: then this thread would still be awake when the
        workers are woken, and Linux may leave two of them to one core.
        """
        request = self._request(part, inputs)
        request.infer(_arrays(inputs), share_inputs=True)
        return _outputs(request)

    def start(self, part: str, *inputs: Tensor) -> Callable[[], Outputs]:
        """Begin to run a part, see :class:`Backend`."""
        request = self._request(part, inputs)
        request.start_async(_arrays(inputs), share_inputs=True)

        def finish() -> Outputs:
            request.wait()
            return _outputs(request)
        return finish

    def _request(self, part: str, inputs: tuple[Tensor, ...]) -> Any:
        """Return what runs a part at these shapes."""
        key = part, tuple(x.shape for x in inputs)
        if key not in self._requests:
            self._requests[key] = self._compile(part, inputs)
        return self._requests[key]

    def _compile(self, part: str, inputs: tuple[Tensor, ...]) -> Any:
        """Convert and compile for these shapes."""
        module = self._parts[part]

        def load(folder: Path) -> Any:
            # Who finds another's half-written model removes it, and the writer fails.
            with alone_in(folder):
                return self._core.compile_model(folder / FILE, 'CPU', {
                    'PERFORMANCE_HINT': 'LATENCY',
                    'INFERENCE_NUM_THREADS': self._threads_for(part),
                    # The parts themselves say what runs in lower precision.
                    'INFERENCE_PRECISION_HINT': 'f32',
                    # Pinned, parts that run side by side would share a core.
                    'ENABLE_CPU_PINNING': False, 'CACHE_DIR': str(folder)}).create_infer_request()
        return load_cached(self._cache, module, part, inputs, f'openvino {openvino.__version__}',
                           lambda folder: write_openvino(module, inputs, folder / FILE), load)

    def _threads_for(self, part: str) -> int:
        """
        Leave a core to what runs beside ``describe``.

        Where PoseNet does not tell the motion, points are followed, which takes about as long.
        """
        return 1 if part == 'describe' and 'motion' not in self._parts else self._threads


def _arrays(inputs: tuple[Tensor, ...]) -> list[NDArray[np.float32]]:
    """Share the inputs' memory."""
    return [x.contiguous().numpy() for x in inputs]


def _outputs(request: Any) -> Outputs:
    """Copy what a request has left."""
    return tuple(torch.from_numpy(tensor.data.copy()) for tensor in request.output_tensors)
