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

"""frames.json: what is read is what was written, and each mistake is named."""

from dataclasses import fields
import json
from pathlib import Path

from mdepth_ros.training.datasets.frames_index import (
    FrameEntry,
    FramesIndex,
    read_index,
    write_index,
)
from mdepth_ros.training.datasets.sequence import DataError
import numpy as np
import pytest

K = [[100.0, 0.0, 79.5], [0.0, 101.0, 47.5], [0.0, 0.0, 1.0]]
POSE = [[0.0, -1.0, 0.0, 1.5], [1.0, 0.0, 0.0, 2.5], [0.0, 0.0, 1.0, -3.0], [0.0, 0.0, 0.0, 1.0]]
HOLOLENS = Path(__file__).resolve().parents[3].parent / 'shared/data/hololens'


def content(**changes):
    return {'width': 160, 'height': 96, 'K': K, 'frames': [{'image': 'a.png'}], **changes}


def written(folder, document):
    path = folder / 'frames.json'
    path.write_text(json.dumps(document))
    return path


def same(a, b):
    """Whether two dataclasses hold the same, arrays included."""
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, '__dataclass_fields__'):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return np.array_equal(a, b)


def test_round_trip_is_exact(tmp_path):
    rng = np.random.default_rng(0)
    pose = np.array(POSE)
    pose[:3, 3] = rng.normal(size=3)
    frames = (FrameEntry('image/a.jpg', 1_700_000_000_123_456_789, 'depth/a.png', pose,
                         np.array(POSE), 'moving/a.png'),
              FrameEntry('image/b ü.jpg', 1_700_000_000_123_456_790))
    index = FramesIndex(160, 96, np.array(K) / [[3.0], [7.0], [1.0]], frames,
                        0.004, 12.5, 'from "run 7"')
    write_index(index, tmp_path / 'frames.json')
    assert same(read_index(tmp_path / 'frames.json'), index)
    # Other programs read it as plain JSON with these keys.
    plain = json.loads((tmp_path / 'frames.json').read_text())
    assert plain['frames'][1] == {'image': 'image/b ü.jpg', 'stamp_ns': 1_700_000_000_123_456_790}
    assert [path.name for path in tmp_path.iterdir()] == ['frames.json']


def test_defaults_and_stamps(tmp_path):
    frames = [{'image': f'{n}.png', 'note': 'blurred'} for n in range(31)]
    index = read_index(written(tmp_path, content(frames=frames, notes='x')))
    assert (index.depth_unit_m, index.fps, index.note) == (0.001, None, 'x')
    assert (index.stamp_ns(0), index.stamp_ns(1), index.stamp_ns(30)) == (0, 33_333_333, 10**9)
    assert (index.camera().width, index.camera().height) == (160, 96)
    np.testing.assert_array_equal(index.camera().K, K)
    slow = read_index(written(tmp_path, content(frames=frames, fps=8)))
    assert slow.stamp_ns(3) == 375_000_000
    stamped = [{'image': 'a.png', 'stamp_ns': 5}, {'image': 'b.png', 'stamp_ns': 7}]
    assert read_index(written(tmp_path, content(frames=stamped, fps=8))).stamp_ns(1) == 7


BAD_POSE = [[2.0, 0, 0, 0], *POSE[1:]]
MISTAKES = [
    ([1], 'must be an object'),
    ({'width': 160}, 'height must be a whole number > 0, got nothing'),
    (content(width=160.0), 'width must be a whole number > 0, got 160.0'),
    (content(height=True), 'height must be a whole number'),
    (content(K=[[1, 2], [3, 4]]), 'K must be 3 rows of 3 numbers'),
    (content(K=[[float('nan'), 0, 1], [0, 1, 1], [0, 0, 1]]), 'K must be 3 rows of 3 numbers'),
    (content(K=[[0, 0, 1], [0, 1, 1], [0, 0, 1]]), 'fx > 0'),
    (content(fps=0), 'fps must be a number > 0, got 0'),
    (content(depth_unit_m='mm'), "depth_unit_m must be a number > 0, got 'mm'"),
    (content(frame_rate=10), 'unknown frame_rate, known are'),
    (content(frames=[]), 'frames must be a list of at least one frame'),
    (content(frames=[{}]), 'frame 0: image must be a path inside the folder, got nothing'),
    (content(frames=['a.png']), 'frame 0 must be an object'),
    (content(frames=[{'image': 'a.png', 'pose': POSE}]), 'frame 0: unknown pose'),
    (content(frames=[{'image': '../a.png'}]), 'inside the folder'),
    (content(frames=[{'image': 'x/../../a.png'}]), 'inside the folder'),
    (content(frames=[{'image': '/etc/a.png'}]), 'inside the folder'),
    (content(frames=[{'image': 'C:\\a.png'}]), 'inside the folder'),
    (content(frames=[{'image': '.'}]), 'inside the folder'),
    (content(frames=[{'image': 'a\nb.png'}]), "inside the folder, got 'a\\nb.png'"),
    (content(frames=[{'image': '\ud800.png'}]), "inside the folder, got '\\ud800.png'"),
    (content(frames=[{'image': 'a.png', 'depth': None}]), 'depth must be a path'),
    (content(frames=[{'image': 'a.png', 'T_world_camera': POSE[:3]}]), 'T_world_camera must be'),
    (content(frames=[{'image': 'a.png', 'T_odom_base': BAD_POSE}]), 'T_odom_base must be'),
    (content(frames=[{'image': 'a.png', 'stamp_ns': 1.5}]), 'stamp_ns must be a whole number'),
    (content(frames=[{'image': 'a.png', 'stamp_ns': 10**30}]), 'stamp_ns must be a whole number'),
    (content(frames=[{'image': 'a.png', 'stamp_ns': 1}, {'image': 'b.png'}]),
     'all frames or none must have stamp_ns, got 1 of 2'),
    (content(frames=[{'image': 'a.png', 'stamp_ns': 5}, {'image': 'b.png', 'stamp_ns': 5}]),
     'frame 1: stamp_ns must be later'),
]


@pytest.mark.parametrize(('document', 'message'), MISTAKES, ids=[text for _, text in MISTAKES])
def test_a_mistake_is_named_in_one_line(document, message, tmp_path):
    path = written(tmp_path, document)
    with pytest.raises(DataError) as error:
        read_index(path)
    assert str(error.value).startswith(f'{path}: ')
    assert message in str(error.value)
    assert '\n' not in str(error.value)


def test_all_mistakes_at_once(tmp_path):
    frames = [{'image': '/a.png'}] * 40
    with pytest.raises(DataError) as error:
        read_index(written(tmp_path, content(width=0, fps=-1, frames=frames)))
    for part in ('width', 'fps', 'frame 0', 'frame 2', 'and 37 more'):
        assert part in str(error.value)
    assert len(str(error.value)) < 700


@pytest.mark.parametrize('text', ['', '{"width": 160', b'\xff\xfe\x00'])
def test_no_json(text, tmp_path):
    path = tmp_path / 'frames.json'
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=r'frames\.json is not readable'):
        read_index(path)
    with pytest.raises(DataError, match='is not readable'):
        read_index(tmp_path / 'missing.json')


def test_what_could_not_be_read_is_not_written(tmp_path):
    path = tmp_path / 'frames.json'
    good = FramesIndex(160, 96, np.array(K), (FrameEntry('a.png'),))
    write_index(good, path)
    before = path.read_bytes()
    with pytest.raises(DataError, match='inside the folder'):
        write_index(FramesIndex(160, 96, np.array(K), (FrameEntry('../a.png'),)), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ['frames.json']


@pytest.mark.skipif(not HOLOLENS.is_dir(), reason='the development frames are not here')
def test_a_real_file():
    index = read_index(HOLOLENS / 'frames.json')
    assert (len(index.frames), index.width, index.height) == (373, 540, 360)
    assert index.frames[0].T_world_camera[2, 3] == 4.67999


def test_a_file_that_is_nested_without_end(tmp_path):
    (tmp_path / 'frames.json').write_text('[' * 100_000)
    with pytest.raises(DataError, match='is not readable: maximum recursion'):
        read_index(tmp_path / 'frames.json')
