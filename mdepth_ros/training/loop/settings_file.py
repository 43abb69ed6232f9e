"""YAML files that become dataclasses, checked, with changes from the command line."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import jsonargparse
import yaml

from mdepth_ros.errors import MdepthError

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
    parser = jsonargparse.ArgumentParser(exit_on_error=False, parser_mode='yaml')
    parser.add_class_arguments(kind, fail_untyped=True)
    parser.add_argument('--settings-file', action='config')
    known: Any = kind
    try:
        words = ['--settings-file', str(path), *(f'--{word}' for word in overrides)]
        parts = parser.instantiate(parser.parse_args(words))
        return kind(**{part.name: parts[part.name] for part in fields(known)})
    except (jsonargparse.ArgumentError, ValueError, yaml.YAMLError) as error:
        raise MdepthError(f'{path}: {" ".join(str(error).split())}') from error
