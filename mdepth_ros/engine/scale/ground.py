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

"""Metres from the camera's known height above the ground."""

from collections import deque
import math

from mdepth_ros.engine.frames import DepthEstimate
from mdepth_ros.engine.scale.ground_plane import ground_height, GroundPrior
from mdepth_ros.engine.scale.ratios import Ratios
from mdepth_ros.engine.scale.state import check_positive, Scale, ScaleState


class GroundScale:
    """
    The camera's height over its height in depth images, averaged over time.

    The ground is looked for a few times a second. A plane well above the known ground is a table
    or a truck's bed and is left out; one well below shows that the former was one, and is
    followed.
    """

    PERIOD_S = 0.2
    ATTEMPTS = 12
    FOUND = 8  # of the last attempts, or more: locked
    MISSED = 4  # or less: lost
    MOST_ABOVE = 0.2  # log of the height

    def __init__(self, default: float, camera_height: float, prior: GroundPrior) -> None:
        """
        Start without an image.

        :param default: metres per network unit until there is an answer, > 0.
        :param camera_height: of the camera above the ground [m], > 0.
        :param prior: how it is mounted.
        :raises ValueError: if a number is not > 0.
        """
        check_positive('default', default)
        check_positive('camera_height', camera_height)
        self.scale = Scale(default, ScaleState.SEARCHING)
        self._value = default
        self._camera_height = camera_height
        self._prior = prior
        self._ratios = Ratios()
        self._attempts: deque[bool] = deque(maxlen=self.ATTEMPTS)
        self._looked_ns: int | None = None

    def follow(self, estimate: DepthEstimate) -> None:
        """Look for the ground, if it is time to."""
        elapsed_ns = (math.inf if self._looked_ns is None
                      else estimate.stamp_ns - self._looked_ns)
        if 0 <= elapsed_ns < self.PERIOD_S * 1e9:
            return
        self._looked_ns = estimate.stamp_ns
        height = ground_height(
            estimate.depth / estimate.scale, estimate.valid, estimate.K, self._prior)
        self._attempts.append(height is not None and self._take(height))
        state = self._state()
        self.scale = Scale(self._value if state is ScaleState.LOCKED else self.scale.value, state)

    def _take(self, height: float) -> bool:
        """Take one more height [network units]; returns whether it is the ground's."""
        log_ratio = math.log(self._camera_height / height)
        if len(self._ratios) >= self.FOUND and (
                log_ratio > math.log(self._value) + self.MOST_ABOVE):
            return False
        self._value = math.exp(self._ratios.add(log_ratio).mean)
        return True

    def _state(self) -> ScaleState:
        """Judge by the last attempts, with some inertia."""
        found = sum(self._attempts)
        if found >= self.FOUND:
            return ScaleState.LOCKED
        if len(self._attempts) == self.ATTEMPTS and found <= self.MISSED:
            return ScaleState.LOST
        return self.scale.state
