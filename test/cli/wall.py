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

"""A folder of pictures for ``mdepth predict``, and what it leaves behind, read back."""

from contextlib import closing
import json

import cv2
from mdepth_ros.cli.main import main
from mdepth_ros.engine.camera import Camera
from mdepth_ros.messages.bag import open_bag
import numpy as np

WIDTH, HEIGHT = 160, 96
CAMERA = Camera.from_fov(WIDTH, HEIGHT, 80.0)
SMALL = ['--size', '96x64', '--backend', 'torch']
START_NS, PERIOD_NS = 1_700_000_000_000_000_000, 100_000_000


def picture(index):
    """Paint a wall that comes nearer: (H, W, 3) RGB."""
    blots = np.random.default_rng(0).integers(0, 255, (24, 40, 3), dtype=np.uint8)
    zoom = 4 * 80 / (80 - index)
    nearer = np.array([[zoom, 0, 79.5 * (1 - zoom / 4)], [0, zoom, 47.5 * (1 - zoom / 4)]])
    return np.asarray(cv2.warpAffine(blots, nearer, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC,
                                     borderMode=cv2.BORDER_REPLICATE))


def shown(rgb):
    """Which of the pictures comes next to this one; a codec has been at work."""
    return int(np.argmin([np.abs(rgb.astype(int) - picture(index)).mean()
                          for index in range(12)]))


def write_folder(path, count):
    path.mkdir()
    for index in range(count):
        cv2.imwrite(str(path / f'{index:03}.png'), picture(index)[..., ::-1])
    return path


def predict(source, out, weights, *more):
    status = main(['predict', str(source), '--out', str(out), '--weights', str(weights), *SMALL,
                   *map(str, more)])
    assert status == 0
    return json.loads((out / 'summary.json').read_text())


def read_bag(bag):
    """By topic, the messages in order."""
    with closing(open_bag(bag)) as reader:
        messages = {}
        for connection, received_ns, raw in reader.messages():
            message = reader.deserialize(raw, connection.msgtype)
            messages.setdefault(connection.topic, []).append((received_ns, message))
        return messages


def read_ply(path):
    header, _, body = path.read_bytes().partition(b'end_header\n')
    records = np.frombuffer(body, [('xyz', '<f4', 3), ('rgb', 'u1', 3)])
    assert f'element vertex {len(records)}\n'.encode() in header
    return records['xyz'], records['rgb']
