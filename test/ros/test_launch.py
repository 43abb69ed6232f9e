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

from contextlib import closing, contextmanager, ExitStack
import os
from pathlib import Path
import re
import shutil
import signal
import subprocess

from harness import wait_for
from mdepth_ros.ros.lifecycle_client import LifecycleClient
from mdepth_ros.ros.own_node import OwnNode
from mdepth_ros.ros.transport import PROFILE_VARIABLES
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


pytestmark = pytest.mark.skipif(
    not installed(), reason='needs ros2 launch and an installed mdepth_ros')


@pytest.fixture
def parameters(tiny_weights, tmp_path):
    """Parameters of a small node."""
    path = tmp_path / 'parameters.yaml'
    path.write_text(yaml.safe_dump({'/**': {'ros__parameters': {
        'weights': str(tiny_weights), 'network.width': 96, 'network.height': 64,
        'backend': 'torch', 'scale.mode': 'odometry'}}}))
    return path


@contextmanager
def launched(*words):
    """Run `ros2 launch` and give a client of its node; Ctrl-C has to end both."""
    with ExitStack() as stack:
        process = subprocess.Popen(['ros2', 'launch', str(LAUNCH), *words], text=True,
                                   start_new_session=True, preexec_fn=heed_signals,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        stack.callback(process.communicate, timeout=60)
        stack.callback(os.killpg, process.pid, signal.SIGINT)
        client = stack.enter_context(LifecycleClient('/launched/mdepth'))
        client.wait_for_node(60.0)
        assert wait_for(lambda: client.state() == 'active', 60.0)
        yield client
    assert process.returncode == 0


@pytest.mark.parametrize('compressed', ['auto', 'true'])
def test_topics_parameters_and_states(parameters, compressed):
    words = [f'params_file:={parameters}', 'namespace:=launched', 'image:=/cam/image',
             'camera_info:=/cam/info', 'odom:=/wheels', f'compressed:={compressed}']
    image, other = ('/cam/image', '/cam/image/compressed')[::-1 if compressed == 'true' else 1]
    with launched(*words), closing(OwnNode('counter')) as own:
        for topic in (image, '/cam/info', '/wheels'):
            assert wait_for(lambda topic=topic: own.node.count_subscribers(topic) == 1), topic
        assert own.node.count_subscribers(other) == 0
        assert wait_for(lambda: own.node.count_publishers('/launched/depth/image') == 1)


def test_it_is_activated_at_the_start_and_never_unasked(parameters):
    with launched(f'params_file:={parameters}', 'namespace:=launched') as client:
        for transition in ('deactivate', 'cleanup', 'configure'):
            client.change(transition)
        assert not wait_for(lambda: client.state() != 'inactive', 3.0)
        assert client.change('activate').state == 'active'


OUTER = """
from launch import LaunchDescription
from launch.actions import ExecuteProcess, IncludeLaunchDescription, Shutdown


def generate_launch_description():
    return LaunchDescription([
        IncludeLaunchDescription({inner!r}, launch_arguments={arguments!r}.items()),
        ExecuteProcess(cmd=['env'], output='screen', on_exit=Shutdown())])
"""


@pytest.mark.parametrize(('choice', 'own'), [
    ('auto', {}), ('none', {'FASTDDS_DEFAULT_PROFILES_FILE': '/own.xml'}), ('/other.xml', {})])
def test_what_is_launched_after_it_keeps_its_profile(tmp_path, choice, own):
    outer = tmp_path / 'outer.launch.py'
    outer.write_text(OUTER.format(inner=str(LAUNCH), arguments={
        'fastdds_profile': choice, 'autostart': 'false'}))
    bare = {name: value for name, value in os.environ.items()
            if name not in PROFILE_VARIABLES.values()}
    done = subprocess.run(['ros2', 'launch', str(outer)], env={**bare, **own}, text=True,
                          capture_output=True, check=True, timeout=60)
    assert 'PATH=' in done.stdout
    assert dict(re.findall(r'(FAST\w+_PROFILES_FILE)=(.*)', done.stdout)) == own
