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

"""A camera that pans over a picture, as a bag of any kind or as a video."""

from bags import write_bag
from camera_messages import camera_info, compressed, image, odometry, STORES
import cv2
from mdepth_ros.engine.camera import Camera
from mdepth_ros.training.datasets.frames_index import read_index
import numpy as np

WIDTH, HEIGHT = 160, 96
PERIOD_NS = 100_000_000
START_NS = 1_700_000_000_000_000_000
CAMERA = Camera.from_fov(WIDTH, HEIGHT, 80.0)
STEP = 4  # [px] between images


def stamp_of(index):
    return START_NS + index * PERIOD_NS


def picture(place):
    """Paint the view from a place: (H, W, 3) RGB."""
    noise = np.random.default_rng(5).integers(0, 255, (24, 80, 3), dtype=np.uint8)
    wide = cv2.resize(noise, (1600, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(wide[:, STEP * place:STEP * place + WIDTH])


def frame(index, place=None, kind='mcap', camera=CAMERA, stamp_ns=None, rgb=None, info=True):
    """Return CameraInfo and Image of one moment, as ``write_bag`` takes them."""
    store = STORES['ros1' if kind == 'ros1' else 'ros2']
    stamp_ns = stamp_of(index) if stamp_ns is None else stamp_ns
    rgb = picture(index if place is None else place) if rgb is None else rgb
    messages = [('/cam/image', stamp_of(index), image(store, stamp_ns, rgb))]
    if info:
        messages.insert(0, ('/cam/camera_info', stamp_of(index),
                            camera_info(store, stamp_ns, camera)))
    return messages


def write(folder, messages, kind='mcap', name='run'):
    """Write a bag and return its path."""
    path = folder / (f'{name}.bag' if kind == 'ros1' else name)
    write_bag(path, kind, sorted(messages, key=lambda message: message[1]))
    return path


def odometry_at(received_index, stamp_ns, position, quaternion=(0.0, 0.0, 0.0, 1.0), kind='mcap'):
    store = STORES['ros1' if kind == 'ros1' else 'ros2']
    received_ns = int(START_NS + received_index * PERIOD_NS)
    return '/odom', received_ns, odometry(store, stamp_ns, position, quaternion)


def depth_at(received_index, stamp_ns, depth, encoding='16UC1', kind='mcap', **how):
    store = STORES['ros1' if kind == 'ros1' else 'ros2']
    received_ns = int(START_NS + received_index * PERIOD_NS)
    return '/depth/image', received_ns, image(store, stamp_ns, depth, encoding, **how)


def compressed_frame(index, extension, kind='mcap'):
    store = STORES['ros1' if kind == 'ros1' else 'ros2']
    stamp_ns = stamp_of(index)
    return [('/cam/camera_info', stamp_ns, camera_info(store, stamp_ns, CAMERA)),
            ('/cam/image/compressed', stamp_ns,
             compressed(store, stamp_ns, picture(index)[..., ::-1], extension))]


def sequences(out):
    """Return the frames.json of each sequence, in order."""
    return [read_index(path) for path in sorted(out.glob('*/*/frames.json'))]


def rgb_of(folder, entry):
    return cv2.cvtColor(cv2.imread(str(folder / entry.image)), cv2.COLOR_BGR2RGB)


def tree(folder):
    """Every file's content, by its path."""
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob('*')) if path.is_file()}
