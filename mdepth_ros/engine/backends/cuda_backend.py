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

"""PyTorch on an NVIDIA GPU: every part is recorded once and then replayed as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass

from mdepth_ros.engine.backends.backend import Backend, Outputs, refusals
import torch
from torch import nn, Tensor

WARM_UP_RUNS = 3


@dataclass(frozen=True)
class Recording:
    """A graph, and the memory that it reads from and writes to."""

    graph: torch.cuda.CUDAGraph
    inputs: Outputs
    outputs: Outputs


class CudaBackend(Backend):
    """
    Replays CUDA graphs: hundreds of small kernels without a launch for each.

    :param parts: by name; they move to the device, convolutions channels-last.
    :param device: the GPU.
    """

    name = 'cuda'
    compiles = True

    def __init__(self, parts: Mapping[str, nn.Module], device: torch.device) -> None:
        self.device = device
        self._parts = {
            name: part.to(device).to(  # type: ignore[call-overload]
                memory_format=torch.channels_last) for name, part in parts.items()}
        self._recordings: dict[tuple[str, tuple[torch.Size, ...]], Recording] = {}

    @torch.inference_mode()
    def run(self, part: str, *inputs: Tensor) -> Outputs:
        """Run a part, see :class:`Backend`; the device goes on by itself."""
        key = part, tuple(x.shape for x in inputs)
        recording = self._recordings.get(key)
        with refusals(part, torch.OutOfMemoryError):
            if recording is None:
                recording = self._recordings[key] = self._record(self._parts[part], inputs)
            for place, x in zip(recording.inputs, inputs):
                place.copy_(x)
            recording.graph.replay()
            return tuple(x.clone() for x in recording.outputs)

    def _record(self, part: nn.Module, inputs: Outputs) -> Recording:
        """Run a part until its libraries have settled, then record it."""
        places = tuple(x.clone() for x in inputs)
        beside = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        beside.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(beside):
            for _ in range(WARM_UP_RUNS):
                part(*places)
        torch.cuda.current_stream(self.device).wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        # Without a stream it would record on the current device.
        with torch.cuda.device(self.device), torch.cuda.graph(graph, stream=beside):
            outputs = part(*places)
        return Recording(graph, places, outputs)
