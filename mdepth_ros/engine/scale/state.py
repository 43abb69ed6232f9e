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

"""A scale and how it stands; the constant one."""

from dataclasses import dataclass
from enum import Enum

from mdepth_ros.engine.frames import DepthEstimate


class ScaleState(Enum):
    """Whether the scale can be relied upon."""

    SEARCHING = 'searching'
    LOCKED = 'locked'
    LOST = 'lost'


@dataclass(frozen=True)
class Scale:
    """Metres per network unit, and how it stands."""

    value: float
    state: ScaleState


class FixedScale:
    """A constant, known from the start."""

    def __init__(self, value: float) -> None:
        """
        Keep the constant.

        :param value: metres per network unit, > 0.
        :raises ValueError: if it is not.
        """
        check_positive('value', value)
        self.scale = Scale(value, ScaleState.LOCKED)

    def follow(self, estimate: DepthEstimate) -> None:
        """Take an estimate, which changes nothing."""


def check_positive(name: str, value: float) -> None:
    """
    Refuse what is no scale or height.

    :raises ValueError: unless it is > 0.
    """
    if not value > 0:
        raise ValueError(f'{name} must be > 0, got {value}')
