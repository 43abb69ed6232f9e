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

"""
Start the depth node for one camera, configure it and activate it.

ros2 launch mdepth_ros depth.launch.py image:=/camera/image_rect camera_info:=/camera/camera_info
"""

import os
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, EmitEvent, OpaqueFunction, RegisterEventHandler
from launch.conditions import IfCondition
from launch.events import matches_action
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from lifecycle_msgs.msg import Transition
from mdepth_ros.ros.transport import (
    large_message_environment,
    PROFILE_VARIABLES,
    profile_variables,
)

CONFIG = Path(get_package_share_directory('mdepth_ros')) / 'config'
ARGUMENTS = {
    'params_file': (str(CONFIG / 'depth.yaml'), 'YAML file with the parameters of the node'),
    'namespace': ('', 'namespace of the node and its relative topics'),
    'image': ('image', 'topic of the camera image'),
    'camera_info': ('camera_info', 'topic of its CameraInfo'),
    'odom': ('odom', 'topic of the odometry, for scale.mode odometry'),
    'compressed': ('auto', 'true: subscribe to <image>/compressed; false: to <image>; auto: as '
                           'params_file says'),
    'use_sim_time': ('auto', 'take the time from /clock; auto: as params_file says'),
    'rviz': ('false', 'start rviz with the shipped view'),
    'autostart': ('true', 'configure and activate the node'),
    'fastdds_profile': ('auto', 'Fast DDS profile; auto: the shipped one, with room for clouds, '
                                'unless one is set or /dev/shm is too small; none: the node takes '
                                'none'),
    'log_level': ('info', 'debug, info, warn, error'),
}
YES, NO = ('true', 'True'), ('false', 'False')
CHOICES = {**dict.fromkeys(('rviz', 'autostart'), (*YES, *NO)),
           **dict.fromkeys(('compressed', 'use_sim_time'), ('auto', *YES, *NO))}


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Build the actions once the arguments are known."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    parameters = [value['params_file']]
    if value['use_sim_time'] != 'auto':
        parameters.append({'use_sim_time': value['use_sim_time'] in YES})
    transport = []
    if value['compressed'] != 'auto':
        kind = 'compressed' if value['compressed'] in YES else 'raw'
        transport.append({'image_transport': kind})
    profile = profile_environment(value['fastdds_profile'])
    node = LifecycleNode(
        package='mdepth_ros', executable='depth_node', name='mdepth',
        namespace=value['namespace'], output='screen', emulate_tty=True,
        parameters=[*parameters, *transport],
        remappings=[('image', value['image']),
                    ('image/compressed', f'{value["image"]}/compressed'),
                    ('camera_info', value['camera_info']), ('odom', value['odom'])],
        ros_arguments=['--log-level', value['log_level']], additional_env=profile)
    rviz = Node(package='rviz2', executable='rviz2', arguments=['-d', str(CONFIG / 'mdepth.rviz')],
                parameters=parameters, namespace=value['namespace'],
                additional_env={name: path for name, path in profile.items() if path},
                condition=IfCondition(value['rviz']))
    return [*autostart(node, value['autostart']), node, rviz]


def profile_environment(choice: str) -> dict[str, str]:
    """Return the variables that name the Fast DDS profile to the node and to rviz."""
    if choice == 'auto':
        return dict(large_message_environment().items() - os.environ.items())
    if choice == 'none':
        # The node takes an empty name for it; others would look for a file of that name.
        return dict.fromkeys(PROFILE_VARIABLES.values(), '')
    return dict.fromkeys(profile_variables(os.environ), choice)


def autostart(node: LifecycleNode, wanted: str) -> list[LaunchDescriptionEntity]:
    """Configure, and activate when that first succeeds; Humble's LifecycleNode cannot itself."""
    def change(transition: int) -> EmitEvent:
        return EmitEvent(event=ChangeState(
            lifecycle_node_matcher=matches_action(node), transition_id=transition),
            condition=IfCondition(wanted))

    when_configured = RegisterEventHandler(OnStateTransition(
        target_lifecycle_node=node, start_state='configuring', goal_state='inactive',
        handle_once=True,  # whoever configures it again may not want it to be active
        entities=[change(Transition.TRANSITION_ACTIVATE)]))
    return [when_configured, change(Transition.TRANSITION_CONFIGURE)]


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start."""
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=text,
                                choices=CHOICES.get(name))
          for name, (default, text) in ARGUMENTS.items()),
        OpaqueFunction(function=start),
    ])
