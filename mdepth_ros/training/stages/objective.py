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

"""What the stages' objectives have in common: what they return, and what stays frozen in them."""

from typing import NamedTuple

from torch import nn, Tensor
from torch.nn.modules.batchnorm import _BatchNorm


class Views(NamedTuple):
    """
    Pictures of a step, for people; detached, None where a stage has no such thing.

    ``target``, ``warped`` (B, 3, H, W) in [0, 1], the latter None where nothing is warped; depths
    (B, 1, H, W) [m]; masks (B, 1, H, W) bool; ``confidence`` (B, 1, H, W).
    """

    target: Tensor
    warped: Tensor | None
    single_depth: Tensor
    multi_depth: Tensor
    automask: Tensor | None = None
    distilled: Tensor | None = None
    confidence: Tensor | None = None


class StepResult(NamedTuple):
    """``loss`` is minimised; ``terms`` are scalars by name, for the log."""

    loss: Tensor
    terms: dict[str, Tensor]
    views: Views


class Objective(nn.Module):
    """A loss as a module, so that devices, precision and DDP wrap all of it at once."""

    def __init__(self) -> None:
        super().__init__()
        self._frozen: list[nn.Module] = []

    def freeze(self, module: nn.Module) -> None:
        """Keep a module as it is: no gradient, and in eval mode whatever the rest does."""
        module.requires_grad_(False)
        self._frozen.append(module)
        module.eval()

    def freeze_batch_norm(self) -> None:
        """Keep the statistics of all batch normalisation: small batches have poor ones."""
        for module in self.modules():
            if isinstance(module, _BatchNorm):
                self._frozen.append(module)
                module.eval()

    def train(self, mode: bool = True) -> 'Objective':
        """Switch to training, but for what is frozen."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self
