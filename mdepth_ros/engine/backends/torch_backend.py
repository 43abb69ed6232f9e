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

"""Eager PyTorch: runs everywhere, and is what the others are measured against."""

from collections.abc import Mapping

from mdepth_ros.engine.backends.backend import Backend, Outputs, refusals
import torch
from torch import nn, Tensor


class TorchBackend(Backend):
    """
    Runs the parts as they are.

    :param parts: by name; they move to the device.
    :param device: where they run.
    """

    name = 'torch'
    compiles = False

    def __init__(self, parts: Mapping[str, nn.Module], device: torch.device) -> None:
        self.device = device
        self._parts = {name: part.to(device) for name, part in parts.items()}

    @torch.inference_mode()
    def run(self, part: str, *inputs: Tensor) -> Outputs:
        """Run a part, see :class:`Backend`: two at once would only fight for the cores."""
        with refusals(part, torch.OutOfMemoryError):
            outputs: Outputs = self._parts[part](*inputs)
        return outputs
