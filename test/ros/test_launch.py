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

"""``ros2 launch``, where that is: the arguments reach the node, and it becomes active."""

from contextlib import ExitStack
import os
from pathlib import Path
import shutil
import signal
import subprocess

from harness import wait_for
from mdepth_ros.ros.lifecycle_client import LifecycleClient
from mdepth_ros.ros.own_node import OwnNode
from processes import heed_signals
import pytest
import yaml

LAUNCH = Path(__file__).parents[2] / 'launch/depth.launch.py'


def installed():
    """Whether the launch file finds what it starts: `colcon build` and its setup.bash make it."""
    from ament_index_python.packages import get_package_prefix, PackageNotFoundError
    try:
        return shutil.which('ros2') and get_package_prefix('mdepth_ros')
    except PackageNotFoundError:
        return False


@pytest.mark.skipif(not installed(), reason='needs ros2 launch and an installed mdepth_ros')
@pytest.mark.parametrize('compressed', ['auto', 'true'])
def test_topics_parameters_and_states(tiny_weights, tmp_path, compressed):
    parameters = tmp_path / 'parameters.yaml'
    parameters.write_text(yaml.safe_dump({'/**': {'ros__parameters': {
        'weights': str(tiny_weights), 'network.width': 96, 'network.height': 64,
        'backend': 'torch', 'scale.mode': 'odometry'}}}))
    words = [f'params_file:={parameters}', 'namespace:=launched', 'image:=/cam/image',
             'camera_info:=/cam/info', 'odom:=/wheels', f'compressed:={compressed}']
    image, other = ('/cam/image', '/cam/image/compressed')[::-1 if compressed == 'true' else 1]
    with ExitStack() as stack:
        process = subprocess.Popen(['ros2', 'launch', str(LAUNCH), *words], text=True,
                                   start_new_session=True, preexec_fn=heed_signals,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        stack.callback(process.communicate, timeout=60)
        stack.callback(os.killpg, process.pid, signal.SIGINT)
        client = LifecycleClient('/launched/mdepth')
        stack.callback(client.close)
        client.wait_for_node(60.0)
        assert wait_for(lambda: client.state() == 'active', 60.0)
        own = OwnNode('counter')
        stack.callback(own.close)
        for topic in (image, '/cam/info', '/wheels'):
            assert wait_for(lambda topic=topic: own.node.count_subscribers(topic) == 1), topic
        assert own.node.count_subscribers(other) == 0
        assert own.node.count_publishers('/launched/depth/image') == 1
    assert process.returncode == 0
