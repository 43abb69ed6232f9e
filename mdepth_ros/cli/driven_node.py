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

"""The node in a process of its own, started for a material and taken through its states."""

from collections.abc import Sequence
from dataclasses import dataclass
import os
from pathlib import Path
from types import TracebackType

from mdepth_ros.cli.played.material import Material
from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.preprocess import network_size
from mdepth_ros.errors import MdepthError
from mdepth_ros.ros.child_process import ChildProcess
from mdepth_ros.ros.diagnostics import status_name
from mdepth_ros.ros.lifecycle_client import LifecycleClient, TransitionResult
from mdepth_ros.ros.localhost import LOCALHOST
from mdepth_ros.ros.transport import large_message_environment

# Of this process alone: neither a robot on the same network nor another run hears us.
NAMESPACE = f'/mdepth_demo_{os.getpid()}'
NODE = f'{NAMESPACE}/mdepth'
STATUS = status_name(NODE)
START_TIMEOUT_S = 60.0
# Configuring loads the networks and compiles them.
CONFIGURE_TIMEOUT_S, CHANGE_TIMEOUT_S = 120.0, 30.0


@dataclass(frozen=True)
class NodeChoice:
    """
    How to start the node.

    ``parameters`` are ``name:=value``, after those that follow from the material.
    """

    weights: Path | None = None
    parameters: Sequence[str] = ()

    def arguments(self, material: Material) -> list[str]:
        """Return the command line that the node gets for a material."""
        values = [f'image_transport:={"compressed" if material.topics.compressed else "raw"}',
                  f'image_is_rectified:={str(material.is_rectified).lower()}']
        if self.weights is not None:
            values.append(f'weights:={self.weights.resolve()}')
        if not any(it.startswith('network.') for it in self.parameters):
            # So that it compiles the networks before the images come.
            width, height = network_size(*material.image_size, EngineConfig().pixel_budget)
            values += [f'network.width:={width}', f'network.height:={height}']
        flags = [word for value in (*values, *self.parameters) for word in ('-p', value)]
        return ['--ros-args', '-r', f'__ns:={NAMESPACE}', *flags]


class DrivenNode:
    """
    The node's process and the client that drives it; a context manager.

    :param choice: how to start it.
    :param material: what it will see.
    :param log: takes what it writes.
    """

    def __init__(self, choice: NodeChoice, material: Material, log: Path) -> None:
        self.process = ChildProcess('the node', 'mdepth_ros.ros.depth_node',
                                    choice.arguments(material), log)
        try:
            self._client = LifecycleClient(NODE, check=self.process.check)
        except BaseException:
            self.process.stop()
            raise

    def wait_for(self) -> None:
        """
        Wait until it can be driven.

        :raises MdepthError: if it is not there in time, or its process is gone.
        """
        self._client.wait_for_node(START_TIMEOUT_S)

    def change(self, transition: str) -> TransitionResult:
        """
        Make one transition.

        :param transition: as :meth:`LifecycleClient.change` takes it.
        :return: what it led to.
        :raises MdepthError: if it fails or takes too long; carries the last lines of the log.
        """
        try:
            return self._client.change(
                transition, CONFIGURE_TIMEOUT_S if transition == 'configure' else CHANGE_TIMEOUT_S)
        except MdepthError as error:
            raise type(error)(f'{error}; its last lines:\n{self.process.log_tail()}') from error

    def end(self) -> int:
        """
        End the process, which outlives the node's shutdown transition.

        :return: its exit status.
        """
        return self.process.stop()

    def __enter__(self) -> 'DrivenNode':
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._client.close()
        self.process.stop()


def session_environment(log_folder: Path) -> dict[str, str]:
    """
    Environment of this process and its children: large messages, this machine only.

    :param log_folder: for the logs that ROS keeps.
    :return: a copy of the present one, changed.
    """
    environment = large_message_environment()
    environment['ROS_LOG_DIR'] = str(log_folder)
    if not {'ROS_LOCALHOST_ONLY', 'ROS_AUTOMATIC_DISCOVERY_RANGE'} & environment.keys():
        environment |= LOCALHOST
    return environment
