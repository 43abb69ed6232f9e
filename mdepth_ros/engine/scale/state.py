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
