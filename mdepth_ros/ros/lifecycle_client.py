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

"""Drive a lifecycle node of another process through its states."""

from dataclasses import dataclass
import math
import time
from types import TracebackType

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from mdepth_ros.errors import MdepthError
from mdepth_ros.ros.child_process import Check
from mdepth_ros.ros.own_node import OwnNode
from rclpy.client import Client

_TRANSITIONS = {
    'configure': Transition.TRANSITION_CONFIGURE,
    'activate': Transition.TRANSITION_ACTIVATE,
    'deactivate': Transition.TRANSITION_DEACTIVATE,
    'cleanup': Transition.TRANSITION_CLEANUP,
}
# Which of the three shutdown transitions is valid depends on the state that one is in.
_SHUTDOWNS = {
    'unconfigured': Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,
    'inactive': Transition.TRANSITION_INACTIVE_SHUTDOWN,
    'active': Transition.TRANSITION_ACTIVE_SHUTDOWN,
}
# A service that has not found its client yet loses its answer; a question may be asked again.
ASK_AGAIN_S = 2.0


class LifecycleError(MdepthError):
    """A lifecycle transition that failed, or a node that does not answer."""


@dataclass(frozen=True)
class TransitionResult:
    """A transition that succeeded, the state after it, and how long it took [s]."""

    transition: str
    state: str
    seconds: float


class LifecycleClient:
    """
    Calls ``change_state`` and ``get_state`` of one node; a context manager.

    :param node_name: fully qualified, as ``/robot/mdepth``.
    :param check: called while waiting; raises if the node's process is gone.
    """

    def __init__(self, node_name: str, check: Check | None = None) -> None:
        self.node_name = node_name
        self._check = check
        self._own = OwnNode('mdepth_lifecycle_client')
        # In this order: who answers the second service's client has found the first one's, too.
        self._change = self._own.node.create_client(ChangeState, f'{node_name}/change_state')
        self._state = self._own.node.create_client(GetState, f'{node_name}/get_state')

    def change(self, transition: str, timeout_s: float = 60.0) -> TransitionResult:
        """
        Make one transition and wait for its end.

        :param transition: ``configure``, ``activate``, ``deactivate``, ``cleanup`` or
            ``shutdown``.
        :param timeout_s: for the whole transition [s]; configure loads and warms up a model.
        :return: the transition and the state that the node is in after it.
        :raises LifecycleError: if the node refuses, fails or does not answer in time.
        """
        before = self.state()
        table = _SHUTDOWNS if transition == 'shutdown' else _TRANSITIONS
        identifier = table.get(before if transition == 'shutdown' else transition)
        if identifier is None:
            raise LifecycleError(f'{self.node_name} cannot {transition} from state {before!r}')
        started = time.monotonic()
        request = ChangeState.Request(transition=Transition(id=identifier))
        if not self._call(self._change, request, timeout_s).success:
            raise LifecycleError(f'{self.node_name} failed to {transition} from {before!r}: '
                                 f'it is now {self.state()!r}')
        seconds = time.monotonic() - started
        return TransitionResult(transition, self.state(), seconds)

    def state(self, timeout_s: float = 20.0) -> str:
        """
        Ask for the present state.

        :param timeout_s: give up after this time [s].
        :return: its label, as ``inactive``.
        :raises LifecycleError: if the node does not answer in time.
        """
        return self._call(self._state, GetState.Request(), timeout_s,
                          ASK_AGAIN_S).current_state.label

    def wait_for_node(self, timeout_s: float = 30.0) -> None:
        """
        Wait until both services are there.

        :param timeout_s: give up after this time [s].
        :raises LifecycleError: if they do not appear in time.
        """
        deadline = time.monotonic() + timeout_s
        for client in (self._change, self._state):
            self._wait_for_service(client, deadline, timeout_s)

    def close(self) -> None:
        """Leave the network."""
        self._own.close()

    def __enter__(self) -> 'LifecycleClient':
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def _wait_for_service(self, client: Client, deadline: float, timeout_s: float) -> None:
        """Poll for a server, so that a dead process is noticed at once."""
        while not client.service_is_ready():
            self._still_worth_waiting(deadline, timeout_s, client.srv_name)
            time.sleep(0.02)

    def _call(self, client: Client, request: object, timeout_s: float,
              again_s: float = math.inf) -> object:
        """Call a service and wait for the answer; where there is none, call it again."""
        deadline = time.monotonic() + timeout_s
        self._wait_for_service(client, deadline, timeout_s)
        future, asked = client.call_async(request), time.monotonic()
        while not future.done():
            self._still_worth_waiting(deadline, timeout_s, client.srv_name)
            if time.monotonic() - asked > again_s:
                future, asked = client.call_async(request), time.monotonic()
            self._own.spin_once(0.05)
        return future.result()

    def _still_worth_waiting(self, deadline: float, timeout_s: float, service: str) -> None:
        """Raise if the process is gone or the time is over."""
        if self._check is not None:
            self._check()
        if time.monotonic() > deadline:
            raise LifecycleError(f'no answer from {service} in {timeout_s:g} s')
