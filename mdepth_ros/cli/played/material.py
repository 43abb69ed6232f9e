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

"""Make the bag that is played, or look into the user's."""

from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from mdepth_ros.cli.played.source import Source
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.camera_choice import CameraChoice
from mdepth_ros.errors import BadCamera, MdepthError
from mdepth_ros.messages.bag import (
    BagTopics,
    find_topics,
    first_message,
    no_camera_info,
    open_bag,
    topics_of_type,
)
from mdepth_ros.messages.camera_info import camera_from_info
from mdepth_ros.messages.rectified import says_rectified
from mdepth_ros.messages.type_names import ODOMETRY
from mdepth_ros.ros.camera_bag import CameraBag, DepthBag
from mdepth_ros.ros.image_decoding import decode
from tqdm import tqdm

TRUTH_TOPIC = '/truth/depth'


@dataclass(frozen=True)
class Material:
    """
    What to play.

    ``camera`` replaces the bag's CameraInfo where the user gave one. ``truth`` is a bag of 32FC1
    depth with the images' stamps, None where there is no truth. ``image_size`` is width and
    height [px].
    """

    name: str
    bag: Path
    topics: BagTopics
    camera: Camera | None
    is_rectified: bool
    truth: Path | None
    image_size: tuple[int, int]


def material_from_bag(
    bag: Path, choice: CameraChoice, image_topic: str | None = None,
    camera_info_topic: str | None = None, odometry_topic: str | None = None,
) -> Material:
    """
    Look into the user's bag.

    :param bag: any bag.
    :param choice: the camera, if the bag has none or another is wanted.
    :param image_topic: which camera, if there are several.
    :param camera_info_topic: its CameraInfo, if it is not beside the images.
    :param odometry_topic: which odometry, if there are several.
    :return: what to play.
    :raises MdepthError: if something is missing, and what to pass.
    """
    with closing(open_bag(bag)) as reader:
        topics = find_topics(reader, image_topic, camera_info_topic, odometry_topic)
        odometries = topics_of_type(reader, ODOMETRY)
        if topics.odometry is None and odometries:
            print(f'{bag} has several odometry topics, and none is played; choose one with '
                  f'--odometry-topic: {", ".join(odometries)}', flush=True)
        height, width = decode(first_message(reader, topics.image)).shape[:2]
        camera = choice.camera(width, height)
        if camera is None and topics.camera_info is None:
            camera = choice.required(f'{bag} ({no_camera_info(reader, topics.image)})', width,
                                     height)
        seen = camera
        if camera is None and topics.camera_info is not None:
            with suppress(BadCamera):  # the node says what is wrong with it
                seen = camera_from_info(first_message(reader, topics.camera_info))
    rectified = says_rectified(topics.image) or seen is None or not seen.needs_rectification
    return Material(bag.name, bag, topics, camera, rectified, None, (width, height))


def material_from_source(source: Source, folder: Path) -> Material:
    """
    Write images, camera and odometry to a bag, and the true depth, if any, to another.

    :param source: what to write.
    :param folder: where to make ``input`` and ``truth``.
    :return: what to play.
    """
    with (CameraBag(folder / 'input', source.camera) as bag,
          DepthBag(folder / 'truth', TRUTH_TOPIC) as truth):
        # Sources make their frames one by one: this is the bar of their work, too.
        for frame in tqdm(source.frames, total=source.count, unit=' images', leave=False,
                          desc=source.action):
            bag.write(frame.stamp_ns, frame.rgb, frame.T_world_camera)
            if frame.depth is not None:
                truth.write(frame.stamp_ns, frame.depth)
    if not bag.image_count:
        raise MdepthError(f'{source.name} has no images')
    return Material(
        source.name, folder / 'input', bag.topics, None, not source.camera.needs_rectification,
        folder / 'truth' if truth.count else None, (source.camera.width, source.camera.height))
