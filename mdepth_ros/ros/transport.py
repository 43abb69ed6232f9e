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
import os
from pathlib import Path
import shutil
import sysconfig

from mdepth_ros.errors import MdepthError

# Which variable names the profile, by the library that reads it: Fast DDS 3 or, on Humble and
# Jazzy, 2. The newer one warns of the older name.
PROFILE_VARIABLES = {'libfastdds.so': 'FASTDDS_DEFAULT_PROFILES_FILE',
                     'libfastrtps.so': 'FASTRTPS_DEFAULT_PROFILES_FILE'}
SHARED_MEMORY = Path('/dev/shm')
# Each process maps a segment of 64 MB: a node, a player, a recorder and one viewer.
NEEDED_SHARED_MEMORY = 4 * 64 * 1024**2


def profile_path() -> Path:
    """
    Find the shipped Fast DDS profile: beside the sources, or in a ROS or pip installation.

    :return: path of ``fastdds.xml``.
    :raises MdepthError: if it is in none of the three places.
    """
    share = Path('share/mdepth_ros/config/fastdds.xml')
    prefixes = [Path(p) for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    candidates = [Path(__file__).resolve().parents[2] / 'config' / 'fastdds.xml',
                  *(prefix / share for prefix in prefixes),
                  Path(sysconfig.get_path('data')) / share]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise MdepthError(f'fastdds.xml is missing, looked for {[str(c) for c in candidates]}')


def large_message_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """
    Environment in which images and clouds travel whole through shared memory.

    :param base: environment to extend, the present one by default. A profile that it already
        names stays: it may configure more than we know.
    :return: a copy; unchanged where ``/dev/shm`` has no room for the segments (a container with
        Docker's default of 64 MB), because there Fast DDS loses messages with them.
    """
    environment = dict(os.environ if base is None else base)
    taken = any(name in environment for name in PROFILE_VARIABLES.values())
    if taken or not shared_memory_suffices():
        return environment
    return environment | dict.fromkeys(profile_variables(environment), str(profile_path()))


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
