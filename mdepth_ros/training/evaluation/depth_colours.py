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

"""Inverse depth in colours: where they end, and what the bar beside them says."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # importing matplotlib takes long, and writes a cache
    from matplotlib.colorbar import Colorbar

TICKS_M = (0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 80)
# Labels are at least this share of the bar apart.
APART = 0.07
NOTHING_M = 1.0, 10.0  # the ends where there is no depth


def depth_range(depths: Sequence[NDArray[np.float32]]) -> tuple[float, float]:
    """
    Choose the depths at the two ends of the colours: most of what is there.

    :param depths: of any shapes [m]; what is not finite, or 0, is none.
    :return: near and far end [m].
    """
    known = np.concatenate([depth[np.isfinite(depth) & (depth > 0)] for depth in depths])
    if not known.size:
        return NOTHING_M
    near, far = np.percentile(known, [1.0, 97.0])
    return float(near), float(max(far, 1.2 * near))


def label_in_metres(bar: 'Colorbar', near: float, far: float) -> None:
    """
    Label a colour bar of inverse depth with round numbers of metres, not too close.

    :param bar: of inverse depth [1/m].
    :param near: depth at its upper end [m].
    :param far: depth at its lower end [m].
    """
    ticks: list[float] = []
    for metres in (metres for metres in TICKS_M if near <= metres <= far):
        if not ticks or 1 / ticks[-1] - 1 / metres > APART * (1 / near - 1 / far):
            ticks.append(metres)
    bar.set_ticks([1 / metres for metres in ticks], labels=[f'{metres:g} m' for metres in ticks])
