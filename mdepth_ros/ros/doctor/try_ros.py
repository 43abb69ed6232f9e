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

"""Start ROS and leave it: ``python -m ...`` writes what it is made of as JSON."""

from collections.abc import Set
import json
from pathlib import Path

from mdepth_ros.ros.transport import SHARED_MEMORY
import rclpy
from rclpy.node import Node
from std_msgs.msg import Empty

MAPS = Path('/proc/self/maps')
# Names of Fast DDS' segments, of versions 3 and 2; those of ports are no segments.
SEGMENTS = ('fastdds_', 'fastrtps_')


def segments() -> set[Path]:
    """Return the segments of all processes."""
    return {path for path in SHARED_MEMORY.glob('*')
            if path.name.startswith(SEGMENTS) and 'port' not in path.name}


def segment_bytes(others: Set[Path]) -> int:
    """
    Return the size of this process's shared-memory segment.

    :param others: segments from before it had one: what they send it, it maps, too.
    :return: the size; 0 for none.
    """
    if not MAPS.exists():
        return 0
    mapped = {Path(line.split(maxsplit=5)[5]) for line in MAPS.read_text().splitlines()
              if f'{SHARED_MEMORY}/' in line}
    return max((path.stat().st_size for path in segments() & mapped - others if path.exists()),
               default=0)


def main() -> None:
    """Make a node with a publisher, look, and end."""
    others = segments()
    rclpy.init()
    node = Node('mdepth_doctor_trial')
    node.create_publisher(Empty, '~/trial', 1)
    found = {'rmw': rclpy.get_rmw_implementation_identifier(),
             'segment_bytes': segment_bytes(others)}
    node.destroy_node()
    rclpy.shutdown()
    print(json.dumps(found))


if __name__ == '__main__':
    main()
