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

"""A node for a tool: it takes part in the network without the process's own rclpy."""

import rclpy
from rclpy.executors import SingleThreadedExecutor


class OwnNode:
    """
    A node in a context of its own, which nobody else initialises, spins or shuts down.

    :param name: of the node.
    :param namespace: of the node.
    :ivar node: to subscribe, publish and call by.
    """

    def __init__(self, name: str, namespace: str = '') -> None:
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.node = rclpy.create_node(name, namespace=namespace, context=self._context,
                                      enable_rosout=False)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)

    def spin_once(self, timeout_s: float) -> None:
        """
        Make at most one callback.

        :param timeout_s: wait for it this long [s].
        """
        self._executor.spin_once(timeout_sec=timeout_s)

    def close(self) -> None:
        """Leave the network."""
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)
