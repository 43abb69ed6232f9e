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

"""What is blamed on the user's qos_overrides, and what is not."""

from mdepth_ros.ros.parameter_field import BadParameter
from mdepth_ros.ros.qos import checked_overrides, OVERRIDABLE, sensor_qos
import pytest
import rclpy
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image

NAME = 'qos_overrides./qos_test/image.subscription.reliability'


@pytest.fixture
def make_node():
    context = rclpy.Context()
    rclpy.init(context=context)

    def make(*overrides):
        return rclpy.create_node('mdepth', namespace='/qos_test', context=context,
                                 automatically_declare_parameters_from_overrides=True,
                                 parameter_overrides=list(overrides))
    yield make
    rclpy.shutdown(context=context)


def subscribe(node, callback=lambda message: None):
    with checked_overrides(node, 'image'):
        node.create_subscription(
            Image, 'image', callback, sensor_qos(1), qos_overriding_options=OVERRIDABLE)


def test_an_error_of_our_own_is_not_the_users(make_node):
    node = make_node(Parameter(NAME.replace('image', 'other'), value='good'))
    subscribe(node)  # leaves rclpy's own parameters behind
    with pytest.raises(RuntimeError, match='callback should be'):
        subscribe(node, callback=7)


def test_an_override_that_is_of_no_use_is_the_users(make_node):
    node = make_node(Parameter(NAME, value='good'))
    for _ in range(2):
        with pytest.raises(BadParameter, match=r'cannot use the qos_overrides of image: .*good'):
            subscribe(node)
