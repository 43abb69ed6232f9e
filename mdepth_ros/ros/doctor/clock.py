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

"""Simulated time: whether there is a clock, and who follows it."""

from mdepth_ros.engine.doctor.finding import Finding, ok, problem, warning
from mdepth_ros.ros.doctor.graph import Graph


def check_clock(graph: Graph) -> list[Finding]:
    """
    Compare /clock with ``use_sim_time`` of the mdepth nodes.

    :param graph: what was seen.
    :return: whether /clock runs, and the nodes that do not fit.
    """
    running = graph.ticks > 0
    findings = [ok(f'/clock: {graph.ticks} messages' if running else '/clock: none, real time')]
    for node in graph.depth_nodes:
        if node.simulated_time is None:
            findings.append(warning(f'{node.name} does not tell its parameters',
                                    'see whether it hangs: ros2 param list'))
        elif node.simulated_time and not running:
            findings.append(problem(
                f'{node.name} has use_sim_time: true, but /clock stands still',
                'play the bag with --clock, start the simulator, or set use_sim_time: false'))
        elif running and not node.simulated_time:
            findings.append(warning(f'/clock runs, but {node.name} has use_sim_time: false',
                                    'set use_sim_time: true (a launch argument)'))
    return findings
