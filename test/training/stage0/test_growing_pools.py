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

"""Growing pools hold what the step says, whether or not a run was interrupted before it."""

from mdepth_ros.training.stage0.growing_pools import GrowingPools
import pytest


class Worlds:
    """A pool of seeds."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.rendered = []

    def grow(self, seed):
        self.rendered.append(seed)

    def kept(self):
        return self.rendered[-self.capacity:]


def growing(capacity=100, last=1000):
    pools = [Worlds(capacity), Worlds(capacity), Worlds(capacity)]
    return pools, GrowingPools(pools, range(500, 10_000), first=2, grow_every=4, last=last)


def play(pools, steps):
    return [pools.at(step) for step in steps]


def test_pools_take_turns_and_grow():
    pools, both = growing()
    both.render(0)
    assert [it.rendered for it in pools] == [[500, 501], [502, 503], [504, 505]]
    assert play(both, range(15)) == 5 * pools
    # In the first turn, and in the fifth.
    assert [it.rendered[2:] for it in pools] == [[506, 509], [507, 510], [508, 511]]


@pytest.mark.parametrize('capacity', [3, 100])
@pytest.mark.parametrize('interrupted', [1, 12, 13, 40])
def test_what_goes_on_has_the_worlds_that_it_would_have(interrupted, capacity):
    whole, parts = growing(capacity), growing(capacity)
    whole[1].render(0)
    play(whole[1], range(interrupted))
    parts[1].render(interrupted)
    assert [it.kept() for it in parts[0]] == [it.kept() for it in whole[0]]
    # None that nothing will be drawn from.
    assert all(len(it.rendered) <= capacity for it in parts[0])
    for it in (whole, parts):
        play(it[1], range(interrupted, 60))
    assert [it.kept() for it in parts[0]] == [it.kept() for it in whole[0]]


def test_none_come_at_the_end():
    pools, some = growing(last=13)
    some.render(0)
    play(some, range(60))
    assert [len(it.rendered) for it in pools] == [2 + 2, 2 + 1, 2 + 1]
