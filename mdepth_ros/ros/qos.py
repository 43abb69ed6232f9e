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

"""Quality of service: the user's ``qos_overrides`` parameters, and what is wrong with them."""

from collections.abc import Iterator
from contextlib import contextmanager

from mdepth_ros.ros.parameter_field import BadParameter
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions, QoSPolicyKind

# What users may set for every topic but /diagnostics. Durability, as some drivers send their
# CameraInfo only once.
OVERRIDABLE = QoSOverridingOptions((
    QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH, QoSPolicyKind.RELIABILITY,
    QoSPolicyKind.DURABILITY))


def sensor_qos(depth: int) -> QoSProfile:
    """
    Return what connects to every camera: best effort takes reliable publishers, too.

    :param depth: messages that may wait.
    """
    return QoSProfile(depth=depth, reliability=ReliabilityPolicy.BEST_EFFORT)


@contextmanager
def checked_overrides(node: Node, topic: str) -> Iterator[None]:
    """
    Turn rclpy's many errors about bad overrides into one, where there are overrides.

    :param node: which has the parameters.
    :param topic: whose publisher or subscription is created inside.
    :raises BadParameter: if one of its overrides is not usable.
    """
    try:
        yield
    except (ParameterException, RuntimeError, ValueError, TypeError, AttributeError) as error:
        # What the user gave has no public name, and rclpy declares the other policies, too.
        prefix = f'qos_overrides.{node.resolve_topic_name(topic)}.'
        if not any(name.startswith(prefix) for name in node._parameter_overrides):
            raise
        raise BadParameter(f'cannot use the qos_overrides of {topic}: {error}') from error
