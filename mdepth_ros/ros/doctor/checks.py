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
