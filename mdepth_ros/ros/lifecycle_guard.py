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

"""A lifecycle node that survives a request for a transition it cannot make."""

from typing import Any

from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn


class GuardedLifecycleNode(LifecycleNode):
    """
    Answers an impossible transition with a failure.

    Before Kilted rclpy lets the error out of the service's callback, which ends the process. The
    method has no public name; where a later rclpy calls it otherwise, this class changes nothing.
    """

    def _LifecycleNodeMixin__change_state(self, transition_id: int) -> Any:
        try:
            return super()._LifecycleNodeMixin__change_state(transition_id)
        except rclpy_implementation.RCLError as error:
            self.get_logger().error(f'cannot make transition {transition_id} now: {error}')
            return TransitionCallbackReturn.FAILURE
