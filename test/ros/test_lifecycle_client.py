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

"""What a lifecycle client does where answers get lost; what it does with a node is elsewhere."""

from contextlib import suppress
import threading

from lifecycle_msgs.srv import ChangeState, GetState
from mdepth_ros.ros.lifecycle_client import LifecycleClient, LifecycleError
from mdepth_ros.ros.own_node import OwnNode
import pytest


@pytest.fixture
def server():
    """Offer a lifecycle node's services by a node that loses the answers it is told to lose."""
    own, ended, lost = OwnNode('server'), threading.Event(), []

    def answer(request, response):
        if type(response) in lost:
            lost.remove(type(response))
            raise TimeoutError
        if isinstance(response, GetState.Response):
            response.current_state.label = 'inactive'
        else:
            response.success = True
        return response

    own.node.create_service(GetState, 'served/get_state', answer)
    own.node.create_service(ChangeState, 'served/change_state', answer)

    def spin():
        while not ended.is_set():
            with suppress(TimeoutError):  # this answer is not sent
                own.spin_once(0.05)

    thread = threading.Thread(target=spin)
    thread.start()
    yield lost
    ended.set()
    thread.join()
    own.close()


def test_a_state_whose_answer_was_lost_is_asked_again(server):
    with LifecycleClient('/served') as client:
        server.append(GetState.Response)
        assert client.state() == 'inactive'
    assert server == []


def test_a_transition_is_asked_for_once(server):
    with LifecycleClient('/served') as client:
        server.append(ChangeState.Response)
        with pytest.raises(LifecycleError, match='no answer from /served/change_state in 3 s'):
            client.change('activate', timeout_s=3.0)
    assert server == []


@pytest.mark.parametrize('transition', ['deactivate', 'shutdown'])
def test_the_state_that_is_reported_is_the_nodes_own(server, transition):
    with LifecycleClient('/served') as client:
        assert client.change(transition).state == 'inactive'
