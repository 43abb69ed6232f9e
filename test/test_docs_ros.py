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

"""What the pages say of topics, parameters and other packages fits the node."""

import math
import re
import shlex

from mdepth_ros.ros.parameters import NodeParameters, SPECS
from mdepth_ros.ros.publishers import Publishers, TOPICS
import numpy as np
from pages import blocks, flat, PAGES, starting
import pytest
import rclpy
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import (
    DurabilityPolicy,
    qos_check_compatible,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
)
import yaml

OUTPUTS = {f'/{topic}' for topic in TOPICS} | {'/diagnostics'}
SERVICES = {'/mdepth/reset': 'std_srvs/srv/Trigger', '/mdepth/enable': 'std_srvs/srv/SetBool'}
# Of packages that are not installed here: the names that our pages use, each looked up in the
# package's own sources, from Humble to Lyrical.
FOREIGN = {
    'rtabmap_launch': {
        'rgb_topic', 'depth_topic', 'camera_info_topic', 'frame_id', 'visual_odometry',
        'odom_frame_id', 'approx_sync', 'sync_queue_size', 'qos', 'args'},
    'depthimage_to_laserscan': {
        'depth', 'depth_camera_info', 'scan_time', 'range_min', 'range_max', 'scan_height',
        'output_frame'},
    'pointcloud_to_laserscan': {
        'cloud_in', 'target_frame', 'min_height', 'max_height', 'range_max'},
    'stvl': {
        'plugin', 'enabled', 'voxel_decay', 'decay_model', 'voxel_size', 'track_unknown_space',
        'mark_threshold', 'publish_voxel_map', 'observation_sources', 'data_type', 'topic',
        'marking', 'clearing', 'obstacle_range', 'min_obstacle_height', 'max_obstacle_height',
        'filter', 'min_z', 'max_z', 'vertical_fov_angle', 'horizontal_fov_angle',
        'decay_acceleration', 'model_type'},
    'collision_monitor': {
        'base_frame_id', 'odom_frame_id', 'cmd_vel_in_topic', 'cmd_vel_out_topic',
        'transform_tolerance', 'source_timeout', 'base_shift_correction', 'stop_pub_timeout',
        'polygons', 'type', 'points', 'action_type', 'min_points', 'visualize',
        'polygon_pub_topic', 'observation_sources', 'topic', 'min_height', 'max_height'},
}
YAML = [yaml.safe_load(block) for text in PAGES.values() for block in blocks(text, 'yaml')]


def parameters_of(name):
    """Return the parameters of a node, from every YAML block that has some for it."""
    return [tree[name]['ros__parameters'] for tree in YAML if name in tree]


@pytest.mark.parametrize('command', starting('ros2 param '))
def test_parameter_command(command):
    verb, node, name, *value = shlex.split(command)[2:]
    assert node == '/mdepth'
    assert (verb, len(value)) in {('set', 1), ('describe', 0), ('get', 0)}
    for text in value:
        assert SPECS[name].dynamic
        SPECS[name].checked(yaml.safe_load(text))
    assert name in SPECS


@pytest.mark.parametrize('command', starting('ros2 topic '))
def test_topic_command(command):
    assert shlex.split(command)[3] in OUTPUTS


def test_services_and_transitions():
    # In tables, beside what they cure.
    spans = re.findall('`(ros2 (?:service|lifecycle) [^`]*)`', ''.join(PAGES.values()))
    assert len(spans) >= 2
    for command in spans:
        words = shlex.split(command)
        if words[1] == 'service':
            assert SERVICES[words[3]] == words[4]
            assert isinstance(yaml.safe_load(words[5]), dict)
        else:
            assert words[2:] in (['set', '/mdepth', 'configure'], ['set', '/mdepth', 'activate'])


@pytest.mark.parametrize('command', starting('ros2 launch rtabmap', 'ros2 run depthimage',
                                             'ros2 run pointcloud'))
def test_foreign_command(command):
    words = shlex.split(command)
    arguments = dict(word.split(':=', 1) for word in words if ':=' in word)
    assert set(arguments) <= FOREIGN[words[2]]
    ours = {value for value in arguments.values() if value.startswith('/depth')}
    assert ours
    assert ours <= OUTPUTS


@pytest.mark.parametrize(('frame', 'axes'), [
    # Right, down and ahead of the picture are -y, -z and x of the base (REP 103).
    ('camera_optical_frame', [[0, 0, 1], [-1, 0, 0], [0, -1, 0]]), ('camera_link', np.eye(3))])
def test_the_camera_of_the_static_transform_looks_ahead(frame, axes):
    command, = (command for command in starting('ros2 run tf2_ros static_transform_publisher ')
                if command.endswith(f'--child-frame-id {frame}'))
    words = shlex.split(command)[4:]
    options = dict(zip(words[::2], words[1::2]))
    roll, pitch, yaw = (float(options.get(f'--{name}', 0)) for name in ('roll', 'pitch', 'yaw'))

    def turn(axis, angle):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        R = np.eye(3)
        R[[i, i, j, j], [i, j, i, j]] = (math.cos(angle), -math.sin(angle), math.sin(angle),
                                         math.cos(angle))
        return R

    R = turn(2, yaw) @ turn(1, pitch) @ turn(0, roll)
    np.testing.assert_allclose(R, axes, atol=1e-4)


def test_our_parameters_in_yaml():
    found = parameters_of('/**')
    assert len(found) >= 2
    for tree in found:
        NodeParameters(**{SPECS[name].field: SPECS[name].checked(value)
                          for name, value in flat(tree)})


def test_foreign_names_and_topics_in_yaml():
    costmap, = (tree['local_costmap'] for tree in YAML if 'local_costmap' in tree)
    layer = costmap['local_costmap']['ros__parameters']['stvl_layer']
    monitor, = parameters_of('collision_monitor')
    scan, = parameters_of('depthimage_to_laserscan')
    for name, tree in (('stvl', layer), ('collision_monitor', monitor),
                       ('depthimage_to_laserscan', scan)):
        assert {key.split('.')[-1] for key, _ in flat(tree)} <= FOREIGN[name]
        sources = tree.get('observation_sources', [])
        sources = sources.split() if isinstance(sources, str) else sources
        for part in (*sources, *tree.get('polygons', ())):
            assert isinstance(tree[part], dict)
        topics = {value for key, value in flat(tree) if key.split('.')[-1] == 'topic'}
        assert topics <= OUTPUTS
        assert bool(sources) == bool(topics)


@pytest.fixture(scope='module')
def offered():
    """Return the quality of service of the node's outputs, as other nodes see it."""
    context = rclpy.Context()
    rclpy.init(context=context)
    node = LifecycleNode('outputs', context=context)
    outputs = Publishers(node, with_tf=False)
    seen = {topic: node.get_publishers_info_by_topic(topic) for topic in TOPICS}
    outputs.destroy()
    node.destroy_node()
    rclpy.shutdown(context=context)
    return {topic: info[0].qos_profile for topic, info in seen.items()}


@pytest.mark.parametrize('wanted', ['BEST_EFFORT', 'RELIABLE'])
def test_outputs_connect_to_every_consumer(offered, wanted):
    # nav2, STVL: best effort. depthimage_to_laserscan, RTAB-Map by default: reliable.
    subscription = QoSProfile(depth=5, reliability=ReliabilityPolicy[wanted],
                              durability=DurabilityPolicy.VOLATILE)
    for topic, profile in offered.items():
        result, text = qos_check_compatible(profile, subscription)
        assert result != QoSCompatibility.ERROR, (topic, text)


@pytest.mark.parametrize('page', PAGES)
def test_parameters_exist(page):
    groups = {name.split('.')[0] for name in SPECS if '.' in name}
    for span in re.findall(r'(?<!`)`([^`\n]+)`(?!`)', PAGES[page]):
        found = re.fullmatch(r'([a-z_]+)\.([a-z_]+)(?:: (\S+))?', span)
        if not found or found[1] not in groups or found[2] in ('yaml', 'mp4', 'pt'):
            continue
        name = f'{found[1]}.{found[2]}'
        assert name in SPECS, span
        if found[3]:
            SPECS[name].checked(yaml.safe_load(found[3]))
