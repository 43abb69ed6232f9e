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

"""A dataclass field that knows its ROS parameter: name, text, range, choices."""

from dataclasses import dataclass, Field, field
from typing import Any

from mdepth_ros.errors import MdepthError


class BadParameter(MdepthError):
    """A parameter of the wrong type, out of range, or at odds with another one."""


@dataclass(frozen=True)
class Spec:
    """What ROS is told of one parameter; ``dynamic`` ones may change while the node runs."""

    field: str
    name: str
    default: bool | int | float | str
    text: str
    low: float | int | None
    high: float | int | None
    choices: tuple[str, ...]
    dynamic: bool

    def constraints(self) -> str:
        """Return what the range cannot say, for the descriptor."""
        when = 'may change while running' if self.dynamic else 'read in configure'
        one_of = f'one of {", ".join(self.choices)}; ' if self.choices else ''
        return one_of + when

    def checked(self, value: Any) -> Any:
        """
        Check type, choices and range.

        :return: the value; a whole number becomes a float where one is expected.
        :raises BadParameter: saying what came and what was expected.
        """
        kind = type(self.default)
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise BadParameter(f'{self.name} must be of type {kind.__name__}, got {value!r}')
        if self.choices and value not in self.choices:
            raise BadParameter(f'{self.name} must be one of {", ".join(self.choices)}, '
                               f'got {value!r}')
        if self.low is not None and self.high is not None and not self.low <= value <= self.high:
            raise BadParameter(f'{self.name} must be from {self.low} to {self.high}, got {value}')
        return value


def parameter(
    name: str, default: Any, text: str, *, low: float | None = None, high: float | None = None,
    choices: tuple[str, ...] = (), dynamic: bool = False,
) -> Any:
    """
    Make a dataclass field that is a ROS parameter.

    :param name: the parameter's name.
    :param default: its value when nobody sets it, which fixes its type.
    :param text: one line that says what it is, with the unit.
    :param low: smallest value.
    :param high: largest value.
    :param choices: the only values, for text.
    :param dynamic: whether it may change while the node is configured.
    """
    return field(default=default, metadata={
        'name': name, 'text': text, 'low': low, 'high': high, 'choices': choices,
        'dynamic': dynamic})


def spec_of(parameter_field: 'Field[Any]') -> Spec:
    """Read back what :func:`parameter` stored."""
    return Spec(field=parameter_field.name, default=parameter_field.default,
                **parameter_field.metadata)
