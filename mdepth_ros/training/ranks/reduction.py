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

"""Sums, means and maxima over the processes of a run; the identity where there is one."""

from typing import Any

import torch
from torch import distributed, Tensor


def world_size() -> int:
    """Return how many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def sum_over_ranks(value: Tensor) -> Tensor:
    """
    Sum over all processes, with gradient: DDP's average of gradients is then that of the sum.

    :param value: of the same shape in all of them.
    :return: the sum, the same in all of them.
    """
    return value if world_size() == 1 else _Sum.apply(value)


def mean_over_ranks(value: Tensor) -> Tensor:
    """
    Average over all processes, with gradient; each has as many rows of the joined batch.

    :param value: of the same shape in all of them.
    :return: the mean, the same in all of them.
    """
    return sum_over_ranks(value) / world_size()


def max_over_ranks(value: Tensor) -> Tensor:
    """
    Elementwise maximum over all processes, without gradient.

    :param value: of the same shape in all of them.
    :return: the maximum, the same in all of them.
    """
    if world_size() == 1:
        return value.detach()
    return _reduced(value, distributed.ReduceOp.MAX)


class _Sum(torch.autograd.Function):
    """torch's own differentiable all_reduce is deprecated and has no public successor."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        """Add up the values."""
        return _reduced(value, distributed.ReduceOp.SUM)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        """Each value is a part of every process's sum."""
        return _reduced(gradient, distributed.ReduceOp.SUM)


def _reduced(value: Tensor, operation: Any) -> Tensor:
    """All-reduce into a new tensor."""
    result = value.detach().clone(memory_format=torch.contiguous_format)
    distributed.all_reduce(result, operation)
    return result
