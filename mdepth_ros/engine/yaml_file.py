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

"""YAML files: plain values, read whole or refused in one line."""

from pathlib import Path
from typing import Any

from mdepth_ros.errors import one_line
import yaml

# A file of a few lines can stand for a billion values: aliases of aliases.
MOST_VALUES = 100_000
MOST_BITS = 63
# What the parser raises for text, and, of values that a tag promises, for other text.
UNREADABLE = (OSError, ValueError, LookupError, AttributeError, TypeError, yaml.YAMLError)


def read_yaml(path: Path) -> Any:
    """
    Read a file.

    :param path: the file.
    :return: its content: dicts, lists, texts, numbers of at most 64 bits, dates, None.
    :raises ValueError: one line, if it is not readable, or so large or deep that no one wrote it.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
        count = _count(content, {})
    except RecursionError as error:
        raise ValueError('its values are nested too deeply') from error
    except UNREADABLE as error:
        raise ValueError(one_line(error)) from error
    if count > MOST_VALUES:
        raise ValueError(f'it must stand for at most {MOST_VALUES} values, aliases followed')
    return content


def _count(value: object, known: dict[int, int]) -> int:
    """Count the values of a tree whose branches may be shared; refuse numbers that are too big."""
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        raise ValueError(f'a whole number of {value.bit_length()} bits, expected at most 64')
    if not isinstance(value, dict | list | tuple | set):
        return 1
    if id(value) not in known:
        known[id(value)] = MOST_VALUES + 1  # for one that holds itself
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_count(part, known) for part in parts)
    return known[id(value)]
