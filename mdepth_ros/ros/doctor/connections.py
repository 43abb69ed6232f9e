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

"""Publishers and subscriptions that do not meet: quality of service, types, names."""

from mdepth_ros.engine.doctor.finding import Finding, ok, problem, warning
from mdepth_ros.messages.type_names import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE, ODOMETRY
from mdepth_ros.ros.doctor.graph import Endpoint, Graph
from rclpy.qos import qos_check_compatible, QoSCompatibility, QoSProfile

INPUTS = (IMAGE, COMPRESSED_IMAGE, CAMERA_INFO, ODOMETRY)


def check_connections(graph: Graph) -> list[Finding]:
    """
    Compare every publisher of a topic with every subscription to it.

    :param graph: what was seen.
    :return: the pairs between which no message passes.
    """
    findings = []
    for subscription in graph.endpoints:
        if subscription.publishes:
            continue
        for publisher in graph.publishers(subscription.topic):
            if publisher.kind != subscription.kind:
                findings.append(problem(
                    f'{subscription.topic}: {publisher.node} publishes {publisher.kind}, '
                    f'{subscription.node} wants {subscription.kind}',
                    'remap one of them; for compressed images set image_transport: compressed'))
                continue
            result, text = qos_check_compatible(publisher.qos, subscription.qos)
            if result == QoSCompatibility.ERROR:
                reason = text.removeprefix('ERROR: ').strip('; ')
                findings.append(problem(
                    f'{subscription.topic}: nothing passes from {publisher.node} '
                    f'({qos_text(publisher.qos)}) to {subscription.node} '
                    f'({qos_text(subscription.qos)}): {reason}', _override(subscription)))
    return findings


def check_depth_nodes(graph: Graph) -> list[Finding]:
    """
    Look at the mdepth nodes: what they say, and inputs that nobody publishes.

    :param graph: what was seen.
    :return: one finding for each node, and for each of its inputs without a publisher.
    """
    findings = []
    cameras = ', '.join(graph.camera_topics()) or 'no camera topic was seen'
    for node in graph.depth_nodes:
        if node.state == 'unconfigured':
            findings.append(warning(
                f'{node.name} is not configured',
                f'ros2 lifecycle set {node.name} configure, then activate; if that fails, its log '
                'says why'))
            continue
        if node.message is None:
            findings.append(warning(f'{node.name} says nothing on /diagnostics',
                                    'while it is being configured, wait; then see whether it '
                                    'hangs, or diagnostics.rate is too low for --seconds'))
        elif node.failed:
            findings.append(problem(f'{node.name} says: {node.message}',
                                    'do as it says; its log has more'))
        else:
            findings.append(ok(f'{node.name} says: {node.message}'))
        inputs = graph.subscriptions_of(node.name, INPUTS)
        if not inputs:
            findings.append(warning(f'{node.name} subscribes to nothing: it is not active',
                                    f'ros2 lifecycle set {node.name} activate'))
        findings += [
            problem(f'{node.name} waits on {it.topic} ({it.kind}), which nobody publishes',
                    f'remap it (launch arguments image, camera_info, odom); seen: {cameras}')
            for it in inputs if not graph.publishers(it.topic)]
    return findings


def qos_text(qos: QoSProfile) -> str:
    """Return what decides on a connection: ``best effort, volatile``."""
    return ', '.join(policy.name.lower().replace('_', ' ')
                     for policy in (qos.reliability, qos.durability))


def _override(subscription: Endpoint) -> str:
    """Tell what to change; it is the subscription that asks for too much."""
    return (f'let {subscription.node} subscribe best effort and volatile; of an mdepth node, '
            f'remove qos_overrides.{subscription.topic}.subscription.*')
