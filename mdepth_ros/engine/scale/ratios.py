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

"""Many noisy readings of one number, some wrong: their robust mean, and when it changes."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Tukey's constant: 95 % of the efficiency of the mean on Gaussian noise, none for gross errors.
TUKEY = 4.685
ITERATIONS = 10
# Median absolute deviation to standard deviation.
SIGMA_PER_MAD = 1.4826
SMALLEST_SIGMA = 1e-3


@dataclass(frozen=True)
class Location:
    """Robust mean and its standard error."""

    mean: float
    error: float


def tukey_weight(residual: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Weigh by Tukey's biweight.

    :param residual: in standard deviations.
    :return: from 1 for none to 0 for gross errors.
    """
    u = residual / TUKEY
    return np.where(np.abs(u) < 1, (1 - u * u) ** 2, 0.0)


def robust_location(values: Sequence[float]) -> Location:
    """
    Average those values that agree, by Tukey's biweight.

    :param values: at least one.
    :return: their location.
    """
    x = np.asarray(values, np.float64)
    mean = float(np.median(x))
    sigma = max(SIGMA_PER_MAD * float(np.median(np.abs(x - mean))), SMALLEST_SIGMA)
    for _ in range(ITERATIONS):
        weight = tukey_weight((x - mean) / sigma)
        mean = float((weight * x).sum() / weight.sum())
    return Location(mean, sigma / float(np.sqrt(len(x))))


class Ratios:
    """
    Log ratios of the last minutes.

    When the newest ones say something else than those before, those before are forgotten.
    """

    CAPACITY = 600
    RECENT = 40
    SMALLEST_CHANGE = 0.05
    CERTAINTY = 5.0  # [standard errors]

    def __init__(self) -> None:
        """Start with none."""
        self._values: deque[float] = deque(maxlen=self.CAPACITY)

    def __len__(self) -> int:
        return len(self._values)

    def add(self, log_ratio: float) -> Location:
        """
        Take one more.

        :param log_ratio: logarithm of the ratio.
        :return: the location of all that count.
        """
        self._values.append(log_ratio)
        values = list(self._values)
        before, recent = values[:-self.RECENT], values[-self.RECENT:]
        if len(before) >= self.RECENT:
            old, new = robust_location(before), robust_location(recent)
            certain = self.CERTAINTY * float(np.hypot(old.error, new.error))
            if abs(new.mean - old.mean) > max(self.SMALLEST_CHANGE, certain):
                # The change lies among the recent ones: what they begin with is of before.
                values = recent[self.RECENT // 2:]
                self._values = deque(values, maxlen=self.CAPACITY)
        return robust_location(values)
