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

"""A batch of training samples: the target, the frame before it and the frame after it."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

ORDER, CHANGE = 1, 2  # what a random number is for


def own_rows(batch: int, rank: int, world_size: int) -> range:
    """
    Share a batch out.

    :param batch: B over all ranks.
    :param rank: number of this process.
    :param world_size: number of processes.
    :return: this rank's rows of the batch.
    :raises ValueError: if the batch cannot be shared out evenly, or there is no such rank.
    """
    if batch < 1 or batch % world_size or not 0 <= rank < world_size:
        raise ValueError(f'batch {batch} must be a positive multiple of world_size '
                         f'{world_size}, and rank {rank} below it')
    share = batch // world_size
    return range(rank * share, (rank + 1) * share)


@lru_cache(maxsize=2)
def epoch_order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """
    Shuffle the samples of an epoch.

    :param seed: decides.
    :param epoch: its number.
    :param count: how many samples there are.
    :return: (count,) each index once.
    """
    return np.random.default_rng([seed, ORDER, epoch]).permutation(count)


class SampleBatch(NamedTuple):
    """
    What one step learns from. A tuple, so that it can be sent between processes and devices.

    ``frames`` (B, 3, 3, H, W) uint8 RGB: the source before, the target, the source after; the
    losses compare these. ``augmented`` is the same with other colours, what the networks see; the
    three frames of a sample share the change. ``K`` (B, 3, 3) float32 [px] at this size.
    ``tracks`` (B, 2, N, 4) float32: for the source before and the one after, x and y of a point in
    the target and in that source [px]; NaN where fewer than N were found, or the target does not
    show the point; the source need not. None where nothing learns from them.
    """

    frames: Tensor
    augmented: Tensor
    K: Tensor
    tracks: Tensor | None = None
