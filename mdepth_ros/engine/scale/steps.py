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

"""Steps of a path that lie apart from their neighbours'."""

import numpy as np
from numpy.typing import NDArray

FEWEST_STEPS = 5  # among fewer none is told apart
# Steps are judged by the distance of the best ones from the middle: even if half of them are wrong
# this measures the noise of the right ones.
BEST_SHARE = 0.3
AGREES = 5.0
SMALLEST_SHARE = 0.2  # of the speed


def without_outliers(velocities: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Replace velocities that lie apart from the others.

    :param velocities: (N, 3) of the steps of a path, in any unit.
    :return: (N, 3) the same, with the mean of the good ones in place of the others.
    """
    if len(velocities) < FEWEST_STEPS:
        return velocities
    middle = np.median(velocities, axis=0)
    distance = np.linalg.norm(velocities - middle, axis=1)
    rank = int(BEST_SHARE * len(distance))
    noise = float(np.partition(distance, rank)[rank])
    smallest = SMALLEST_SHARE * float(np.linalg.norm(middle))
    good = distance <= max(AGREES * noise, smallest)
    return np.where(good[:, None], velocities, velocities[good].mean(axis=0))
