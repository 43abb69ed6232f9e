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

"""The scale that depth is published with follows the one that was found, without a jump."""

import math

from mdepth_ros.engine.scale.state import check_positive, Scale, ScaleState


class Ramp:
    """
    The applied scale.

    Consumers that add frames up want a constant. So while the scale is searched for the applied
    one comes nearer by ``SEARCH_STEP`` per frame, or at once as long as nobody has seen depth in
    another scale. It is called locked when it has arrived. From then on it stands still until the
    found one is ``DEAD_BAND`` away, and then comes half as near by ``LOCKED_STEP`` per frame.
    """

    SEARCH_STEP = 0.015
    LOCKED_STEP = 0.01
    DEAD_BAND = 0.015

    def __init__(self, start: float) -> None:
        """
        Start searching.

        :param start: metres per network unit, > 0.
        :raises ValueError: if it is not.
        """
        check_positive('start', start)
        self.scale = Scale(start, ScaleState.SEARCHING)
        self.arrived = False
        self._moving = True

    def follow(self, found: Scale, may_jump: bool) -> None:
        """
        Come nearer, once per frame.

        :param found: the scale as it is known now.
        :param may_jump: whether nobody has seen depth in another scale.
        """
        apart = abs(math.log(found.value / self.scale.value))
        if self.arrived:
            self._moving = apart > self.DEAD_BAND / (2 if self._moving else 1)
            value = self._nearer(found.value, self.LOCKED_STEP) if self._moving else (
                self.scale.value)
            self.scale = Scale(value, found.state)
            return
        value = found.value if may_jump else self._nearer(found.value, self.SEARCH_STEP)
        self.arrived = found.state is ScaleState.LOCKED and (
            abs(math.log(found.value / value)) <= self.DEAD_BAND)
        ramping = found.state is ScaleState.LOCKED and not self.arrived
        self.scale = Scale(value, ScaleState.SEARCHING if ramping else found.state)

    def _nearer(self, value: float, step: float) -> float:
        """Go towards a value by at most a share of the present one."""
        now = self.scale.value
        return min(max(value, now * (1 - step)), now * (1 + step))
