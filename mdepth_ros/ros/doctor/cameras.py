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

"""The cameras: whether images come, can be read, and have a CameraInfo that fits."""

from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.doctor.finding import Finding, ok, problem, warning
from mdepth_ros.errors import BadCamera, BadImage
from mdepth_ros.messages.camera_info import camera_from_info
from mdepth_ros.messages.rectified import says_rectified
from mdepth_ros.messages.type_names import COMPRESSED_IMAGE, IMAGE
from mdepth_ros.ros.doctor.connections import qos_text
from mdepth_ros.ros.doctor.graph import Graph, Heard
from mdepth_ros.ros.image_decoding import decode
from sensor_msgs.msg import CameraInfo

# Less moves the camera too far between two images.
SLOW_HZ = 3.0
# Drivers send an image with every CameraInfo: where fewer come, images get lost on their way.
LEAST_ARRIVING = 0.8
PROFILE = ('images above 512 KB get lost without the Fast DDS profile, which the driver of the '
           'camera needs, too: config/fastdds.xml')


def check_cameras(graph: Graph) -> list[Finding]:
    """
    Look at the camera topics: those of mdepth nodes, or all where no node has any.

    :param graph: what was seen.
    :return: type and quality of service of every one, and what is wrong with those.
    """
    topics = graph.camera_topics()
    if not topics:
        return [warning(f'no camera: nobody publishes images (heard for {graph.seconds:g} s)',
                        "start the camera's driver; on another machine or in a container the same "
                        'ROS_DOMAIN_ID and discovery range are needed')]
    used = graph.camera_topics_in_use() or topics
    findings = [ok(f'{topic}: {_facts(graph, topic)}; no mdepth node takes it')
                for topic in topics if topic not in used]
    return findings + [finding for topic in used for finding in _check_camera(graph, topic)]


def _facts(graph: Graph, topic: str) -> str:
    """Return types, publishers and their quality of service."""
    return '; '.join(f'{it.kind} from {it.node}, {qos_text(it.qos)}'
                     for it in graph.publishers(topic))


def _check_camera(graph: Graph, topic: str) -> list[Finding]:
    """Check one image topic and its CameraInfo."""
    facts, heard = _facts(graph, topic), graph.heard.get(topic)
    if heard is None:
        # Drivers also offer streams that are switched off: one that works may be the right one.
        others = any(it in graph.heard for it in graph.camera_topics())
        return [(warning if others and topic not in graph.camera_topics_in_use() else problem)(
            f'{topic}: {facts}, but no image came in {graph.seconds:g} s',
            f'see whether the camera streams; {PROFILE}')]
    try:
        height, width = decode(heard.last).shape[:2]
    except BadImage as error:
        return [problem(f'{topic}: {error}', 'set an encoding that is supported in the driver')]
    findings = [ok(f'{topic}: {facts}; {width}x{height} at {heard.rate_hz:.1f} Hz')]
    findings += _check_stream(topic, heard)
    return findings + _check_info(graph, topic, width, height)


def _check_stream(topic: str, heard: Heard) -> list[Finding]:
    """Check rate, stamps and frame."""
    findings = []
    frame = heard.last.header.frame_id
    if heard.rate_hz < SLOW_HZ:
        findings.append(warning(f'{topic}: {heard.count} images at {heard.rate_hz:.1f} Hz',
                                f'raise its rate: {SLOW_HZ:g} Hz or more let images match'))
    if heard.repeats:
        findings.append(problem(
            f'{topic}: {heard.repeats} of {heard.count} images repeat the stamp before',
            'let the driver stamp each image with the time at which it was taken'))
    if 'optical' not in frame:
        findings.append(warning(
            f"{topic}: frame_id {frame!r} does not say 'optical'",
            'use a frame with x right, y down, z forward (REP 103), named ..._optical_frame'))
    return findings


def _check_info(graph: Graph, topic: str, width: int, height: int) -> list[Finding]:
    """Check the CameraInfo of an image topic."""
    info_topic = graph.camera_info_topic(topic)
    heard = graph.heard.get(info_topic)
    if heard is None:
        return [problem(f'{topic}: no CameraInfo on {info_topic}',
                        'let the driver publish it, or remap camera_info to where it is')]
    info: CameraInfo = heard.last
    try:
        camera = camera_from_info(info)
    except BadCamera as error:
        return [problem(f'{info_topic}: {error}',
                        'calibrate the camera (camera_calibration), and give the driver its file')]
    findings = [ok(f'{info_topic}: {camera.width}x{camera.height}, '
                   f'{camera.horizontal_fov_deg:.0f} degrees wide, {heard.rate_hz:.1f} Hz')]
    images = graph.heard[topic]
    if images.rate_hz < LEAST_ARRIVING * heard.rate_hz:
        findings.append(problem(f'{topic}: {images.rate_hz:.1f} images for {heard.rate_hz:.1f} '
                                f'CameraInfo a second: images get lost', PROFILE))
    if (camera.width, camera.height) != (width, height):
        findings.append(problem(
            f'{topic} is {width}x{height}, but {info_topic} is for '
            f'{camera.width}x{camera.height}',
            "calibrate at the image's size, or take the CameraInfo of the resized image"))
    image_frame = images.last.header.frame_id
    if info.header.frame_id != image_frame:
        findings.append(warning(
            f'{info_topic}: frame_id {info.header.frame_id!r}, but {image_frame!r} on {topic}',
            'give both the same frame_id'))
    return findings + _check_distortion(graph, topic, camera)


def _check_distortion(graph: Graph, topic: str, camera: Camera) -> list[Finding]:
    """Check that distorted images are not taken for rectified ones."""
    if not camera.has_distortion or says_rectified(topic):
        return []
    users = [node for node in graph.depth_nodes if any(
        it.topic == topic for it in graph.subscriptions_of(node.name, (IMAGE, COMPRESSED_IMAGE)))]
    if users and not any(node.rectified for node in users):
        return []
    who = ', '.join(node.name for node in users if node.rectified) or 'a node by default'
    return [warning(
        f'{topic}: its camera has distortion ({camera.distortion_model}), and {who} takes the '
        'image as rectified', 'set image_is_rectified: false, or remap image to image_rect')]
