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

"""Randomness that depends on the seed and the step alone: runs resume and split exactly."""

from mdepth_ros.training.losses import tie_noise
import numpy as np
import torch
from torch import Tensor


def later_seed(seed: int, number: int) -> int:
    """
    Return the seed of what a run draws anew in later rounds; no other run draws the same there.

    :param seed: of the run.
    :param number: of the draw, 0 for the first, which is by the run's seed itself.
    """
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0]) if number else seed


class StepRandom:
    """
    What one step draws, for the joined batch of all processes; each takes its own rows.

    :param seed: of the run.
    :param step: number of the step.
    :param rank: this process.
    :param world_size: all processes.
    """

    def __init__(self, seed: int, step: int, rank: int = 0, world_size: int = 1) -> None:
        self._seed = seed * 1_000_003 + step
        self._rank, self._world_size = rank, world_size

    def tie_noise(self, like: Tensor) -> Tensor:
        """
        Draw the noise of :func:`losses.tie_noise`.

        :param like: (B, S, H, W), this process's rows.
        :return: the same shape.
        """
        generator = torch.Generator(like.device).manual_seed(self._seed)
        whole = like.new_empty(1).expand(like.shape[0] * self._world_size, *like.shape[1:])
        return self._own(tie_noise(whole, generator))

    def corners(self, count: int, rows: int, columns: int) -> list[tuple[int, int]]:
        """
        Draw where patches start.

        :param count: B of this process.
        :param rows: places to choose from, downwards.
        :param columns: places to choose from, to the right.
        :return: B pairs of row and column.
        """
        generator = torch.Generator().manual_seed(self._seed)
        whole = torch.rand(count * self._world_size, 2, generator=generator)
        places = (self._own(whole) * torch.tensor([rows, columns])).long()
        return [(int(row), int(column)) for row, column in places]

    def _own(self, whole: Tensor) -> Tensor:
        """Take this process's rows."""
        return whole.chunk(self._world_size)[self._rank]
