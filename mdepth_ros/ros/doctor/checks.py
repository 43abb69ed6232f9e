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

"""The checks of what runs on ROS now, in the order in which they are told."""

from collections.abc import Callable

from mdepth_ros.engine.doctor.finding import Finding
from mdepth_ros.ros.doctor.cameras import check_cameras
from mdepth_ros.ros.doctor.clock import check_clock
from mdepth_ros.ros.doctor.connections import check_connections, check_depth_nodes
from mdepth_ros.ros.doctor.graph import Graph

CHECKS: tuple[Callable[[Graph], list[Finding]], ...] = (
    check_clock, check_cameras, check_depth_nodes, check_connections)


def check_graph(graph: Graph) -> list[Finding]:
    """
    Run all of them.

    :param graph: what was seen.
    :return: what they find.
    """
    return [finding for check in CHECKS for finding in check(graph)]
