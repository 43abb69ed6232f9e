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

"""Batch normalisation over the joined batch of all processes, on the CPU too."""

from mdepth_ros.training.ranks.reduction import sum_over_ranks, world_size
import torch
from torch import nn, Tensor
from torch.nn.modules.batchnorm import _BatchNorm


class RankBatchNorm(_BatchNorm):
    """
    Batch normalisation whose statistics are those of all processes together.

    torch's own SyncBatchNorm does the same and is faster, but runs on accelerators only.
    """

    def _check_input_dim(self, batch: Tensor) -> None:
        """Any number of dimensions will do."""

    def forward(self, batch: Tensor) -> Tensor:
        """
        Normalise.

        :param batch: (B, C, ...).
        :return: the same shape.
        """
        if not self.training or world_size() == 1:
            return super().forward(batch)
        dims = [0, *range(2, batch.ndim)]
        shape = [1, -1] + [1] * (batch.ndim - 2)
        values = batch.float()
        count = world_size() * values.numel() / values.shape[1]  # all have as many rows
        mean = sum_over_ranks(values.sum(dims)) / count
        centred = values - mean.view(shape)
        variance = sum_over_ranks((centred ** 2).sum(dims)) / count
        self._remember(mean.detach(), (variance * count / (count - 1)).detach())
        normalised = centred * (variance + self.eps).rsqrt().view(shape)
        return (normalised * self.weight.view(shape) + self.bias.view(shape)).to(batch.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked += 1


def synchronise_batch_norm(module: nn.Module, device: torch.device) -> nn.Module:
    """
    Let batch normalisation see the batches of all processes.

    :param module: changed in place; its state dict keeps its keys.
    :param device: where it will run.
    :return: the module.
    """
    if world_size() == 1:
        return module
    if device.type == 'cuda':
        return nn.SyncBatchNorm.convert_sync_batchnorm(module)
    for child in module.modules():
        if isinstance(child, _BatchNorm):
            child.__class__ = RankBatchNorm
    return module
