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

"""How delta, PADS' search width, follows what M-DepthNet finds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mdepth_ros.networks.hypotheses import MARGIN, observed_ratio, update_delta
from mdepth_ros.training.ranks.reduction import max_over_ranks, mean_over_ranks
import torch
from torch import Tensor

# (delta (1, 1, h, w), D_m (B, 1, H, W), D_s (B, 1, H, W)) -> new delta
WidthRule = Callable[[Tensor, Tensor, Tensor], Tensor]

# delta is to cover this share of what is observed ...
QUANTILE = 0.95
# ... and follows by this much per step, relative to itself.
QUANTILE_RATE = 0.05
# A search of 5 % still holds the surface where S-DepthNet is right; four times the depth is all
# that 16 hypotheses can tell apart.
NARROWEST, WIDEST = 0.05, 3.0


def paper_rule(delta: Tensor, multi_depth: Tensor, single_depth: Tensor) -> Tensor:
    """
    Follow the largest ratio of the joined batch.

    Source: paper, PADS. Differs: the maximum is over all processes, not each one's own.

    :param delta: (1, 1, h, w).
    :param multi_depth: (B, 1, H, W) [m].
    :param single_depth: (B, 1, H, W) [m].
    :return: (1, 1, h, w) new width.
    """
    ratio = observed_ratio(multi_depth, single_depth, *delta.shape[2:])
    return update_delta(delta, max_over_ranks(ratio))


@torch.no_grad()
def quantile_rule(delta: Tensor, multi_depth: Tensor, single_depth: Tensor) -> Tensor:
    """
    Follow the 95 % quantile of all frames, whatever the batch size.

    A stochastic quantile estimate: delta rests where 5 % of the frames ask for more.

    Differs: the paper's maximum over the batch grows with the batch size, and one bad frame in
    a hundred steps sets it.

    :param delta: (1, 1, h, w).
    :param multi_depth: (B, 1, H, W) [m].
    :param single_depth: (B, 1, H, W) [m].
    :return: (1, 1, h, w) new width.
    """
    wanted = MARGIN * (observed_ratio(multi_depth, single_depth, *delta.shape[2:]) - 1)
    exceeded = mean_over_ranks((wanted > delta).to(delta.dtype).mean(dim=0, keepdim=True))
    step = QUANTILE_RATE * (exceeded - (1 - QUANTILE))
    return (delta * step.exp()).clamp(NARROWEST, WIDEST)


def fixed_width(delta: Tensor, multi_depth: Tensor, single_depth: Tensor) -> Tensor:
    """Leave delta as it is; arguments as for :func:`paper_rule`."""
    return delta


RULES: dict[str, WidthRule] = {
    'paper': paper_rule, 'quantile': quantile_rule, 'fixed': fixed_width,
}


@dataclass(frozen=True)
class Search:
    """
    How a stage sets delta.

    ``rule`` is a key of ``RULES``; ``delta`` is the start, 0 for what the model has. During the
    first ``hold`` of the stage delta stays: M-DepthNet first has to learn to find anything, since
    until then it agrees with the prior and any rule would narrow the search to nothing.
    """

    rule: Literal['paper', 'quantile', 'fixed'] = 'quantile'
    delta: float = 1.0
    hold: float = 0.25

    def __post_init__(self) -> None:
        problems = []
        if self.rule not in RULES:
            problems.append(f'rule must be one of {sorted(RULES)}, got {self.rule!r}')
        if not self.delta >= 0:
            problems.append(f'delta must be >= 0, got {self.delta}')
        if not 0 <= self.hold <= 1:
            problems.append(f'hold must be in [0, 1], got {self.hold}')
        if problems:
            raise ValueError('Search: ' + '; '.join(problems))

    def begin(self, delta: Tensor) -> None:
        """Set delta to its start, in place."""
        if self.delta > 0:
            delta.fill_(self.delta)

    def follow(
        self, delta: Tensor, multi_depth: Tensor, single_depth: Tensor, progress: float
    ) -> None:
        """
        Update delta in place after a step.

        :param delta: (1, 1, h, w), the model's buffer.
        :param multi_depth: (B, 1, H, W) [m].
        :param single_depth: (B, 1, H, W) [m].
        :param progress: share of the stage that is done.
        """
        if progress >= self.hold:
            delta.copy_(RULES[self.rule](delta, multi_depth, single_depth))
