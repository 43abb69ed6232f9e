"""What a check of ``mdepth doctor`` finds."""

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How bad it is."""

    OK = 'ok'
    WARNING = 'warning'
    PROBLEM = 'problem'


@dataclass(frozen=True)
class Finding:
    """
    One line for people: ``what`` is so, and the ``advice`` what to do about it.

    :raises ValueError: if there is no advice, and it is not ok.
    """

    level: Level
    what: str
    advice: str = ''

    def __post_init__(self) -> None:
        if self.level is not Level.OK and not self.advice:
            raise ValueError(f'a {self.level.value} needs an advice: {self.what}')


def ok(what: str) -> Finding:
    """Return something that is as it should be, or a mere fact."""
    return Finding(Level.OK, what)


def warning(what: str, advice: str) -> Finding:
    """Return something that may be meant so."""
    return Finding(Level.WARNING, what, advice)


def problem(what: str, advice: str) -> Finding:
    """Return something that keeps depth from coming, or from being right."""
    return Finding(Level.PROBLEM, what, advice)
