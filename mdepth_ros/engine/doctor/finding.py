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
