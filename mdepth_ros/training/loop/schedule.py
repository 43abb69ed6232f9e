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

"""How long a stage trains, and how fast."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """
    Steps of Adam at ``rate``, ``drop`` times that after the share ``drop_at`` of them.

    The first ``warm_up`` steps, half of all at most, rise to it: Adam's first steps move all
    weights at once, far enough to forget what the start knew. 0 steps leave the stage out.

    Source: paper, section IV: 2e-4, a tenth after 15 of 20 epochs, no warm-up.
    """

    steps: int
    rate: float = 2e-4
    drop_at: float = 0.75
    drop: float = 0.1
    warm_up: int = 0

    def __post_init__(self) -> None:
        problems = []
        if self.steps < 0:
            problems.append(f'steps must be >= 0, got {self.steps}')
        if self.warm_up < 0:
            problems.append(f'warm_up must be >= 0, got {self.warm_up}')
        if not self.rate > 0:
            problems.append(f'rate must be > 0, got {self.rate}')
        if not 0 <= self.drop_at <= 1:
            problems.append(f'drop_at must be in [0, 1], got {self.drop_at}')
        if not 0 < self.drop <= 1:
            problems.append(f'drop must be in (0, 1], got {self.drop}')
        if problems:
            raise ValueError('Schedule: ' + '; '.join(problems))

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, the first being 0."""
        rising = min(1.0, (step + 1) / (min(self.warm_up, self.steps // 2) + 1))
        return self.rate * rising * (self.drop if step >= self.drop_at * self.steps else 1.0)
