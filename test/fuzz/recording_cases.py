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

"""Broken recordings: bags, folders of images, camera files; whole commands on them."""

import shutil

from bags import write_bag
from camera_messages import camera_info, compressed, image, STORES
import cv2
from mdepth_ros.cli.main import command_module, parse
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.camera_yaml import write_camera_yaml
from mdepth_ros.training.datasets.frames_folder import open_frames
from mutate import changed_bytes, changed_json, changed_yaml, NUMBERS, TEXTS
import numpy as np
import yaml

WIDTH, HEIGHT, FRAMES = 64, 48, 3
CAMERA = Camera.from_fov(WIDTH, HEIGHT, 80.0)
START_NS, PERIOD_NS = 1_700_000_000_000_000_000, 100_000_000
KINDS = {'mcap': '', 'sqlite3': '', 'ros1': '.bag'}
# What a file may be called, and what its results must not be called then.
STEMS = ('.', '..', 'a b', '-', '*', 'journal.jsonl', 'prepare.json', 'ünï', '~', '...', '%s')


def prepare(base):
    """Make a good bag of each kind and a good folder of images."""
    for kind, suffix in KINDS.items():
        if not (base / f'{kind}{suffix}').exists():
            write_bag(base / f'{kind}{suffix}', kind, _messages(kind))
    if not (base / 'frames').exists():
        _write_frames(base / 'frames')


def bag_bytes(rng, base, weights, folder):
    """Make a bag with other bytes, in the recording or in what describes it."""
    path = _copy_bag(rng, base, folder)
    file = rng.choice(sorted(path.iterdir())) if path.is_dir() else path
    file.write_bytes(changed_bytes(rng, file.read_bytes()))
    return _on_bag(rng, _maybe_single_file(rng, path), weights, folder)


def bag_metadata(rng, base, weights, folder):
    """Make a ROS 2 bag whose metadata.yaml says something else."""
    path = folder / 'in/run'
    shutil.copytree(base / rng.choice(('mcap', 'sqlite3')), path)
    metadata = path / 'metadata.yaml'
    metadata.write_bytes(changed_yaml(rng, yaml.safe_load(metadata.read_text())))
    return _on_bag(rng, path, weights, folder)


def bag_messages(rng, base, weights, folder):
    """Make a bag that is as it should be, with messages that are not."""
    kind = rng.choice(tuple(KINDS))
    store = STORES['ros1' if kind == 'ros1' else 'ros2']
    renamed = {topic: rng.choice((topic, topic, topic, '/' + rng.choice(TEXTS), '../../canary/x'))
               for topic in ('/cam/image_raw', '/cam/camera_info')}
    changed = []
    for topic, received_ns, message in _messages(kind, rng.random() < 0.3):
        if rng.random() < 0.3:
            _change_message(rng, message)
        serialise = store.serialize_ros1 if kind == 'ros1' else store.serialize_cdr
        raw = bytes(serialise(message, message.__msgtype__))
        if rng.random() < 0.1:
            raw = changed_bytes(rng, raw)
        changed.append((renamed[topic], received_ns, (raw or b'\0', message.__msgtype__)))
    path = folder / f'in/run{KINDS[kind]}'
    write_bag(path, kind, changed)
    return _on_bag(rng, path, weights, folder)


def bag_name(rng, base, weights, folder):
    """Give a good bag a name that its results cannot have."""
    source = next((base / 'mcap').glob('*.mcap'))
    path = folder / 'in' / f'{rng.choice(STEMS)}.mcap'
    shutil.copy(source, path)
    return _prepare(rng, path, folder)


def frames(rng, base, weights, folder):
    """Make a folder of images whose frames.json or images are broken."""
    path = folder / 'in/frames'
    shutil.copytree(base / 'frames', path)
    if rng.random() < 0.75:
        index = yaml.safe_load((path / 'frames.json').read_text())
        (path / 'frames.json').write_bytes(changed_json(rng, index))
    else:
        file = rng.choice(sorted(path.iterdir()))
        file.write_bytes(changed_bytes(rng, file.read_bytes()))
    if rng.random() < 0.3:
        return predict(rng, path, weights, folder)
    return lambda: _read_all(path)


def camera_file(rng, base, weights, folder):
    """Change a camera file, for a bag without CameraInfo or instead of it."""
    path = folder / 'in/camera.yaml'
    write_camera_yaml(CAMERA, path)
    path.write_bytes(changed_yaml(rng, yaml.safe_load(path.read_text())))
    bag = folder / 'in/run'
    shutil.copytree(base / 'mcap', bag)
    return _on_bag(rng, bag, weights, folder, '--camera-info', path)


def _on_bag(rng, path, weights, folder, *more):
    """Run one of the commands that take a bag."""
    if rng.random() < 0.5:
        return _prepare(rng, path, folder, *more)
    return predict(rng, path, weights, folder, *more)


def _prepare(rng, path, folder, *more):
    words = ['prepare', path, '--out', folder / 'out/result', '--keep-static',
             *rng.choice(((), ('--png',), ('--rectified',), ('--width', 0))), *more]
    return lambda: command(words)


def predict(rng, path, weights, folder, *more):
    """Run mdepth predict on it."""
    words = ['predict', path, '--out', folder / 'out/result', '--weights', weights, '--size',
             '64x64', '--backend', 'torch', '--last', 1, *more,
             *rng.choice((('--no-video',), ('--mcap',), ('--mcap', 'raw', '--no-video')))]
    return lambda: command(words)


def command(words):
    """Run a command as ``mdepth`` does, but let its errors out."""
    parsed = parse([str(word) for word in words])
    command_module(parsed.command).run(parsed)
    return 'done'


def _read_all(path):
    """Read a folder as training does."""
    for sequence in open_frames(path):
        for index in range(min(len(sequence), FRAMES)):
            rgb = sequence.rgb(index)
            assert rgb.shape == (sequence.camera.height, sequence.camera.width, 3)
            depth, pose = sequence.depth(index), sequence.T_world_camera(index)
            assert depth is None or depth.dtype == np.float32
            assert pose is None or np.isfinite(pose).all()
            sequence.moving(index)
            sequence.stamp_ns(index)
    return 'read'


def _copy_bag(rng, base, folder):
    kind = rng.choice(tuple(KINDS))
    source, path = base / f'{kind}{KINDS[kind]}', folder / f'in/run{KINDS[kind]}'
    (shutil.copytree if source.is_dir() else shutil.copy)(source, path)
    return path


def _maybe_single_file(rng, path):
    """Now and then the recording alone, without the folder that describes it."""
    if path.is_dir() and rng.random() < 0.5:
        return next(file for file in path.iterdir() if file.suffix != '.yaml')
    return path


def picture(index):
    """(H, W, 3) view of the n-th frame."""
    blots = np.random.default_rng(0).integers(0, 255, (12, 20, 3), dtype=np.uint8)
    return np.ascontiguousarray(np.kron(blots, np.ones((4, 4, 1), np.uint8))[
        :HEIGHT, 4 * index:4 * index + WIDTH])


def _messages(kind, as_jpeg=False):
    """Infos and images of a camera that moves to the right."""
    store = STORES['ros1' if kind == 'ros1' else 'ros2']
    found = []
    for index in range(FRAMES):
        stamp_ns = START_NS + index * PERIOD_NS
        found.append(('/cam/camera_info', stamp_ns, camera_info(store, stamp_ns, CAMERA)))
        shown = (compressed(store, stamp_ns, picture(index)) if as_jpeg
                 else image(store, stamp_ns, picture(index)))
        found.append(('/cam/image_raw', stamp_ns + 1, shown))
    return found


def _change_message(rng, message):
    """Change a field, whatever the message."""
    def whole(bits):
        return rng.choice([n for n in NUMBERS if isinstance(n, int) and 0 <= n < 2**bits])

    name = rng.choice(('header', *(n for n in vars(message) if n not in ('roi', '__msgtype__'))))
    if name == 'header':
        message.header.frame_id = rng.choice(TEXTS)
        message.header.stamp.sec = whole(31)
        message.header.stamp.nanosec = whole(32)
        return
    value = getattr(message, name)
    if isinstance(value, str):
        setattr(message, name, rng.choice((*TEXTS, 'mono8', 'plumb_bob', 'equidistant')))
    elif isinstance(value, int):
        setattr(message, name, whole(8 if name == 'is_bigendian' else 32))
    elif value.dtype == np.float64:
        value = value.copy()
        value[rng.randrange(value.size) if value.size else slice(None)] = rng.choice(
            [float(n) for n in NUMBERS if n != 10**400])
        setattr(message, name, value)
    else:
        setattr(message, name, value[:rng.randrange(value.size + 1)])


def _write_frames(path):
    """Write a folder with true depth, masks and poses."""
    import json

    path.mkdir()
    entries = []
    for index in range(FRAMES):
        cv2.imwrite(str(path / f'{index}.png'), picture(index))
        cv2.imwrite(str(path / f'd{index}.png'), np.full((24, 32), 2000, np.uint16))
        cv2.imwrite(str(path / f'm{index}.png'), np.full((24, 32), index, np.uint8))
        pose = np.eye(4)
        pose[0, 3] = index
        entries.append({'image': f'{index}.png', 'stamp_ns': 1000 + 10 * index,
                        'depth': f'd{index}.png', 'moving': f'm{index}.png',
                        'T_world_camera': pose.tolist(), 'T_odom_base': pose.tolist()})
    (path / 'frames.json').write_text(json.dumps(
        {'width': WIDTH, 'height': HEIGHT, 'K': CAMERA.K.tolist(), 'depth_unit_m': 0.002,
         'fps': 10.0, 'note': 'made up', 'frames': entries}))
