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

"""Libraries that only some commands need, and what to do where one is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from mdepth_ros.errors import MdepthError


@contextmanager
def modules_for(command: str, extra: str | None) -> Iterator[None]:
    """
    Import libraries in here, of which one may be missing.

    :param command: what needs them, as the user typed it.
    :param extra: the extra in setup.cfg that has those that are not ROS's, if there is one.
    :raises MdepthError: if one is not installed, and what to install.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or '').startswith('mdepth_ros'):
            raise
        rest = 'pip' if extra is None else (
            f"`pip install '.[{extra}]'` in the sources, or, beside an installed ROS 2, by pip "
            'the packages that setup.cfg lists there')
        raise MdepthError(
            f'`mdepth {command}` needs the Python module {error.name!r}, which is not installed '
            f'(rclpy and messages come with a sourced ROS 2, see the README; the rest with {rest})'
        ) from error
