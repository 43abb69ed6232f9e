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

"""YAML files that become dataclasses, checked, with changes from the command line."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import jsonargparse
from mdepth_ros.engine.yaml_file import read_yaml
from mdepth_ros.errors import MdepthError, one_line
import yaml

T = TypeVar('T')


def read_settings(kind: type[T], what: str, path: Path, overrides: Sequence[str] = ()) -> T:
    """
    Read a file into a dataclass.

    :param kind: the dataclass; it checks its values itself.
    :param what: what people call such a file.
    :param path: YAML file.
    :param overrides: ``key=value`` words, e.g. ``teacher.steps=100``, that win over the file.
    :return: the dataclass.
    :raises MdepthError: if the file is missing, a key unknown, a type or a value wrong.
    """
    wrong = [word for word in overrides if '=' not in word or word.startswith('-')]
    if wrong:
        raise MdepthError(f'expected key=value after the {what}, got {wrong[0]!r}')
    if not path.is_file():
        raise MdepthError(f'no {what} at {path}')
    _check(path, what)
    parser = jsonargparse.ArgumentParser(exit_on_error=False, parser_mode='yaml')
    parser.add_class_arguments(kind, fail_untyped=True)
    parser.add_argument('--settings-file', action='config')
    known: Any = kind
    try:
        words = ['--settings-file', str(path), *(f'--{word}' for word in overrides)]
        parts = parser.instantiate(parser.parse_args(words))
        return kind(**{part.name: parts[part.name] for part in fields(known)})
    # A TypeError where a list stands in place of keys.
    except (jsonargparse.ArgumentError, TypeError, ValueError, yaml.YAMLError) as error:
        raise MdepthError(f'{path}: {one_line(error)}') from error


def _check(path: Path, what: str) -> None:
    """Refuse what the parser of settings would not survive."""
    try:
        content = read_yaml(path)
    except ValueError as error:
        raise MdepthError(f'{path}: cannot read the {what}: {error}') from error
    if not isinstance(content, dict):
        raise MdepthError(f'{path}: the {what} must be a mapping of keys, '
                          f'got {type(content).__name__}')
