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

"""Small bags and messages, made with rosbags alone."""

from pathlib import Path

from camera_messages import camera_info, image, STORES
from mdepth_ros.engine.camera import Camera
import numpy as np
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import StoragePlugin, Writer

START_NS = 1_700_000_000_000_000_000
PERIOD_NS = 50_000_000
K = np.array([[50.0, 0, 31.5], [0, 50.0, 23.5], [0, 0, 1]])
CAMERA = Camera(64, 48, K, np.zeros(5), 'plumb_bob', P=np.hstack([K, np.zeros((3, 1))]))


def stamp_ns(index):
    return START_NS + index * PERIOD_NS


def messages(store, index):
    """Return CameraInfo and Image of one frame, in the types of a store."""
    pixels = np.random.default_rng(index).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    return camera_info(store, stamp_ns(index), CAMERA), image(store, stamp_ns(index), pixels)


def write_bag2(path: Path, frames, infos=True, storage=StoragePlugin.MCAP,
               image_topics=('/cam/image_raw',)):
    """Write a ROS 2 bag; returns the serialised images in order."""
    store = STORES['ros2']
    written = []
    with Writer(path, version=8, storage_plugin=storage) as writer:
        images = [writer.add_connection(topic, 'sensor_msgs/msg/Image', typestore=store)
                  for topic in image_topics]
        camera = writer.add_connection('/cam/camera_info', 'sensor_msgs/msg/CameraInfo',
                                       typestore=store) if infos else None
        for index in range(frames):
            info, picture = messages(store, index)
            # `infos='latched'` is one CameraInfo, as a transient local publisher sends it.
            if camera and (infos != 'latched' or index == 0):
                writer.write(camera, stamp_ns(index),
                             store.serialize_cdr(info, camera.msgtype))
            for connection in images:
                raw = bytes(store.serialize_cdr(picture, connection.msgtype))
                writer.write(connection, stamp_ns(index), raw)
            written.append(raw)
    return written


def write_bag1(path: Path, frames):
    """Write a ROS 1 bag; returns the pixels in order."""
    store = STORES['ros1']
    with Writer1(path) as writer:
        camera = writer.add_connection('/cam/camera_info', 'sensor_msgs/msg/CameraInfo',
                                       typestore=store)
        images = writer.add_connection('/cam/image_raw', 'sensor_msgs/msg/Image',
                                       typestore=store)
        written = []
        for index in range(frames):
            info, picture = messages(store, index)
            writer.write(camera, stamp_ns(index), store.serialize_ros1(info, camera.msgtype))
            writer.write(images, stamp_ns(index), store.serialize_ros1(picture, images.msgtype))
            written.append(picture.data)
    return written


def write_bag(path: Path, kind, messages):
    """Write messages, each (topic, time received [ns], message), as ros1, sqlite3 or mcap."""
    path.parent.mkdir(parents=True, exist_ok=True)
    store = STORES['ros1' if kind == 'ros1' else 'ros2']
    writer = (Writer1(path) if kind == 'ros1' else
              Writer(path, version=8, storage_plugin=StoragePlugin[kind.upper()]))
    serialise = store.serialize_ros1 if kind == 'ros1' else store.serialize_cdr
    topics = {}
    with writer:
        for topic, received_ns, message in messages:
            # A message may be given as its bytes, with its type: for broken ones.
            raw, msgtype = message if isinstance(message, tuple) else (None, message.__msgtype__)
            if topic not in topics:
                topics[topic] = writer.add_connection(topic, msgtype, typestore=store)
            writer.write(topics[topic], received_ns, raw or serialise(message, msgtype))
