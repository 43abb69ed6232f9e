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

"""
Seeds of the worlds that are for measuring, and of those that are learned from.

They meet as rank 777 or 880 of stage 0 only.
"""

import numpy as np

# Each class of ``mdepth robustness`` has a thousand.
ROBUSTNESS = range(777_000_000, 777_009_000)
# ``mdepth evaluate --data synthetic`` and the test worlds of ``mdepth ablation``.
EVALUATION = range(880_000_000, 880_000_002)
ABLATION = range(880_000_000, 880_001_000)


def learned_seeds(seed: int, rank: int) -> range:
    """
    Return the worlds that a process of stage 0 learns from; it uses the first of them.

    :param seed: of the run.
    :param rank: of the process.
    """
    first = (1000 * seed + rank) * 1_000_000
    return range(first, first + 1_000_000)


def drawn_seed(seed: int, number: int) -> int:
    """
    Draw a world that the other stages learn from: any of 2^31 that is not for measuring.

    :param seed: of the run.
    :param number: of the world in that run.
    """
    rng = np.random.default_rng([seed, number])
    while True:
        drawn = int(rng.integers(2 ** 31))
        if not any(drawn in held_out for held_out in (ROBUSTNESS, EVALUATION, ABLATION)):
            return drawn
