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

"""The Fast DDS profile with which large messages travel whole through shared memory."""

from collections.abc import Mapping
import logging
import os
from pathlib import Path
import shutil

from mdepth_ros.errors import MdepthError

# Which variable names the profile, by the library that reads it: Fast DDS 3 or, on Humble and
# Jazzy, 2. The newer one warns of the older name.
PROFILE_VARIABLES = {'libfastdds.so': 'FASTDDS_DEFAULT_PROFILES_FILE',
                     'libfastrtps.so': 'FASTRTPS_DEFAULT_PROFILES_FILE'}
SHARED_MEMORY = Path('/dev/shm')
# Each process maps a segment of 64 MB: a node, a player, a recorder and one viewer.
NEEDED_SHARED_MEMORY = 4 * 64 * 1024**2


def profile_path(module: Path = Path(__file__)) -> Path:
    """
    Find the shipped Fast DDS profile: beside the sources, or where pip or colcon put it.

    :param module: this file.
    :return: path of ``fastdds.xml``.
    :raises MdepthError: if it is in none of these places.
    """
    module = module.resolve()  # with --symlink-install the sources
    ament = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    # pip's prefix, of the machine, of the user or of a venv, is a folder above the package.
    prefixes = [*module.parents, *(Path(prefix) for prefix in ament if prefix)]
    candidates = [module.parents[2] / 'config/fastdds.xml',
                  *(prefix / 'share/mdepth_ros/config/fastdds.xml' for prefix in prefixes)]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise MdepthError(f'fastdds.xml is missing, looked for {[str(c) for c in candidates]}')


def large_message_environment() -> dict[str, str]:
    """
    Environment in which images and clouds travel whole through shared memory.

    :return: a copy of the present one. It is unchanged where it names a profile, which may
        configure more than we know, or an empty one, which stands for none; where ``/dev/shm`` has
        no room for the segments (a container with Docker's default of 64 MB), because there Fast
        DDS loses messages with them; and, with a warning, where the profile is not installed.
    """
    environment = dict(os.environ)
    taken = any(name in environment for name in PROFILE_VARIABLES.values())
    if taken or not shared_memory_suffices():
        return environment
    try:
        profile = str(profile_path())
    except MdepthError as error:
        logging.getLogger(__name__).warning('large messages may get lost: %s', error)
        return environment
    return environment | dict.fromkeys(profile_variables(environment), profile)


def use_large_messages() -> None:
    """Take that environment, before Fast DDS reads it; an empty name of a profile goes."""
    os.environ.update(large_message_environment())
    for name in PROFILE_VARIABLES.values():
        if os.environ.get(name) == '':
            del os.environ[name]


def profile_variables(environment: Mapping[str, str]) -> list[str]:
    """
    Find out which variable the installed Fast DDS reads.

    :param environment: its LD_LIBRARY_PATH, which every ROS installation sets, is searched.
    :return: the name; both where no Fast DDS is in sight.
    """
    folders = [Path(p) for p in environment.get('LD_LIBRARY_PATH', '').split(os.pathsep) if p]
    found = [variable for library, variable in PROFILE_VARIABLES.items()
             if any(any(folder.glob(f'{library}*')) for folder in folders)]
    return found or list(PROFILE_VARIABLES.values())


def shared_memory_suffices() -> bool:
    """Return whether ``/dev/shm`` has room for the segments of four processes."""
    return (SHARED_MEMORY.is_dir()
            and shutil.disk_usage(SHARED_MEMORY).free >= NEEDED_SHARED_MEMORY)
