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

"""Pools of rendered worlds that get new ones while a network learns from them."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np


class Pool(Protocol):
    """Rendered worlds in memory; ``capacity`` of them at the most."""

    capacity: int

    def grow(self, seed: int) -> None:
        """Render one more; the oldest goes."""

    def draw(self, count: int, rng: np.random.Generator) -> Any:
        """Draw a batch of so many."""


class GrowingPools:
    """
    Pools that take turns, step by step.

    Which worlds they hold is a matter of the step alone: a run that was interrupted goes on with
    those that it would have without.
    """

    def __init__(self, pools: Sequence[Pool], seeds: range, first: int, grow_every: int,
                 last: int) -> None:
        """
        Render nothing yet.

        :param pools: empty, one for each size of image.
        :param seeds: of the worlds, in this order.
        :param first: worlds of each pool before step 0.
        :param grow_every: a pool gets a new one each time after so many of its turns.
        :param last: none from this step on.
        """
        self._pools = pools
        self._seeds = iter(seeds)
        self._first = first
        self._grow_every = grow_every
        self._last = last

    def render(self, step: int) -> None:
        """Render all that there is before a step, once, before the first :meth:`at`."""
        seen = [[next(self._seeds) for _ in range(self._first)] for _ in self._pools]
        for earlier in filter(self._brings_world, range(step)):
            seen[earlier % len(seen)].append(next(self._seeds))
        for pool, seeds in zip(self._pools, seen):
            for seed in seeds[-pool.capacity:]:
                pool.grow(seed)

    def at(self, step: int) -> Pool:
        """Return the pool whose turn it is; steps must come one after the other."""
        pool = self._pools[step % len(self._pools)]
        if self._brings_world(step):
            pool.grow(next(self._seeds))
        return pool

    def _brings_world(self, step: int) -> bool:
        return step < self._last and step // len(self._pools) % self._grow_every == 0
