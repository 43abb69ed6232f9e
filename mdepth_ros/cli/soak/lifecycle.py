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

"""The node's transitions under load: each has to answer, and a depth has to follow activation."""

from collections.abc import Callable
import time

from mdepth_ros.cli.driven_node import DrivenNode
from mdepth_ros.cli.soak.ear import Ear
from mdepth_ros.cli.soak.observed import Restart
from mdepth_ros.errors import MdepthError
from mdepth_ros.ros.lifecycle_client import LifecycleError, TransitionResult

REACHES = {'configure': 'inactive', 'activate': 'active', 'deactivate': 'inactive',
           'cleanup': 'unconfigured', 'shutdown': 'finalized'}
# Topics are matched anew, and a slow computer takes 0.7 s a frame.
FIRST_DEPTH_TIMEOUT_S = 15.0


class SoakLifecycle:
    """
    Drives the node and keeps what became of it.

    :param driven: the node.
    :param ear: hears its depths.
    :param check: called while waiting; raises if waiting has become pointless.
    """

    def __init__(self, driven: DrivenNode, ear: Ear, check: Callable[[], None]) -> None:
        self.transitions: list[TransitionResult] = []
        self.missed: list[str] = []
        self._driven = driven
        self._ear = ear
        self._check = check

    def go(self, transition: str) -> None:
        """
        Make one transition.

        :param transition: as :meth:`LifecycleClient.change` takes it.
        :raises MdepthError: if it fails, does not answer in time or leads to another state.
        """
        try:
            done = self._driven.change(transition)
            if done.state != REACHES[transition]:
                raise LifecycleError(f'{transition} succeeded, and the node is {done.state!r}, '
                                     f'not {REACHES[transition]!r}')
        except MdepthError:
            self.missed.append(transition)
            raise
        self.transitions.append(done)

    def activate(self) -> float | None:
        """
        Activate and wait for a depth.

        :return: how long it took to come [s]; None if it did not.
        :raises MdepthError: as :meth:`go`.
        """
        self.go('activate')
        since_ns, deadline = time.time_ns(), time.monotonic() + FIRST_DEPTH_TIMEOUT_S
        while not (self._ear.received and self._ear.received[-1].received_ns > since_ns):
            self._check()
            if time.monotonic() > deadline:
                return None
            time.sleep(0.02)
        return 1e-9 * (self._ear.received[-1].received_ns - since_ns)

    def restart(self) -> Restart:
        """
        Out of work and back, then once more with the model unloaded in between.

        :return: when, and how soon there was depth again.
        :raises MdepthError: as :meth:`go`.
        """
        began_ns = time.time_ns()
        self.go('deactivate')
        after_pause = self.activate()
        for transition in ('deactivate', 'cleanup', 'configure'):
            self.go(transition)
        after_cleanup = self.activate()
        return Restart(began_ns, time.time_ns(), (after_pause, after_cleanup))
