"""Small bags and messages, made with rosbags alone."""

from pathlib import Path

import numpy as np
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

START_NS = 1_700_000_000_000_000_000
PERIOD_NS = 50_000_000


def stamp_ns(index):
    return START_NS + index * PERIOD_NS


def messages(store, index, width=64, height=48):
    """CameraInfo and Image of one frame, in the types of a store."""
    types = store.types
    ros1 = 'seq' in {name for name, _ in store.fielddefs['std_msgs/msg/Header'][1]}
    stamp = types['builtin_interfaces/msg/Time'](*divmod(stamp_ns(index), 1_000_000_000))
    start = (index,) if ros1 else ()
    header = types['std_msgs/msg/Header'](*start, stamp=stamp, frame_id='cam_optical')
    k = np.array([50.0, 0, 31.5, 0, 50.0, 23.5, 0, 0, 1])
    p = np.array([50.0, 0, 31.5, 0, 0, 50.0, 23.5, 0, 0, 0, 1, 0])
    matrices = dict(zip('DKRP' if ros1 else 'dkrp', (np.zeros(5), k, np.eye(3).ravel(), p)))
    roi = types['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
    info = types['sensor_msgs/msg/CameraInfo'](
        header=header, height=height, width=width, distortion_model='plumb_bob', **matrices,
        binning_x=0, binning_y=0, roi=roi)
    pixels = np.random.default_rng(index).integers(0, 255, width * height * 3, dtype=np.uint8)
    image = types['sensor_msgs/msg/Image'](
        header=header, height=height, width=width, encoding='rgb8', is_bigendian=0,
        step=3 * width, data=pixels)
    return info, image


def write_bag2(path: Path, frames, infos=True, storage=StoragePlugin.MCAP,
               image_topics=('/cam/image_raw',)):
    """Write a ROS 2 bag; returns the serialised images in order."""
    store = get_typestore(Stores.ROS2_HUMBLE)
    written = []
    with Writer(path, version=8, storage_plugin=storage) as writer:
        images = [writer.add_connection(topic, 'sensor_msgs/msg/Image', typestore=store)
                  for topic in image_topics]
        camera = writer.add_connection('/cam/camera_info', 'sensor_msgs/msg/CameraInfo',
                                       typestore=store) if infos else None
        for index in range(frames):
            info, image = messages(store, index)
            # `infos='latched'` is one CameraInfo, as a transient local publisher sends it.
            if camera and (infos != 'latched' or index == 0):
                writer.write(camera, stamp_ns(index),
                             store.serialize_cdr(info, camera.msgtype))
            for connection in images:
                raw = bytes(store.serialize_cdr(image, connection.msgtype))
                writer.write(connection, stamp_ns(index), raw)
            written.append(raw)
    return written


def write_bag1(path: Path, frames):
    """Write a ROS 1 bag; returns the pixels in order."""
    store = get_typestore(Stores.ROS1_NOETIC)
    with Writer1(path) as writer:
        camera = writer.add_connection('/cam/camera_info', 'sensor_msgs/msg/CameraInfo',
                                       typestore=store)
        images = writer.add_connection('/cam/image_raw', 'sensor_msgs/msg/Image',
                                       typestore=store)
        written = []
        for index in range(frames):
            info, image = messages(store, index)
            writer.write(camera, stamp_ns(index), store.serialize_ros1(info, camera.msgtype))
            writer.write(images, stamp_ns(index), store.serialize_ros1(image, images.msgtype))
            written.append(image.data)
    return written


def write_bag(path: Path, kind, messages):
    """Write messages, each (topic, time received [ns], message), as ros1, sqlite3 or mcap."""
    path.parent.mkdir(parents=True, exist_ok=True)
    store = get_typestore(Stores.ROS1_NOETIC if kind == 'ros1' else Stores.ROS2_HUMBLE)
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
