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

"""Frames folders: each index gives its own files, trees keep their order, nothing is made up."""

from pathlib import Path
import pickle

from folders import K, make_frames_folder
from mdepth_ros.training.datasets.frames_folder import FramesFolder, open_frames
from mdepth_ros.training.datasets.sequence import DataError
from mdepth_ros.training.datasets.sequence_part import SequencePart
import numpy as np
import pytest

HOLOLENS = Path(__file__).resolve().parents[3].parent / 'shared/data/hololens'


def greys(sequences):
    """Return the grey of every frame, in order."""
    return [int(s.rgb(n)[0, 0, 0]) for s in sequences for n in range(len(s))]


def test_everything_that_is_known_of_a_frame(tmp_path):
    sequence = FramesFolder(make_frames_folder(tmp_path / 'run', 4))
    assert (sequence.name, len(sequence)) == ('run', 4)
    np.testing.assert_array_equal(sequence.camera.K, K)
    assert sequence.rgb(2).shape == (48, 64, 3)
    assert set(sequence.rgb(2).flat) == {2}
    assert sequence.stamp_ns(2) == 1020
    np.testing.assert_allclose(sequence.depth(2), np.full((24, 32), 6.0), rtol=1e-6)
    assert sequence.T_world_camera(2)[0, 3] == 2
    assert not sequence.moving(2).any()
    assert sequence.moving(3).all()


def test_what_is_not_known_is_none(tmp_path):
    sequence = FramesFolder(make_frames_folder(tmp_path / 'run', 2, truth=False))
    assert sequence.depth(0) is sequence.T_world_camera(0) is sequence.moving(0) is None


@pytest.mark.parametrize('part', [False, True])
def test_no_frame_before_the_first(part, tmp_path):
    sequence = FramesFolder(make_frames_folder(tmp_path / 'run', 4))
    if part:
        sequence = SequencePart(sequence, 1, 4)
    for index in (-1, len(sequence)):
        for read in (sequence.rgb, sequence.stamp_ns, sequence.depth, sequence.T_world_camera):
            with pytest.raises(IndexError, match=f'got {index}'):
                read(index)


def test_a_missing_or_broken_frame_is_named(tmp_path):
    folder = make_frames_folder(tmp_path / 'run', 4)
    sequence = FramesFolder(folder)
    (folder / '1.png').unlink()
    (folder / '2.png').write_bytes((folder / '2.png').read_bytes()[:-9])
    (folder / 'd3.png').unlink()
    for read, index, name in ((sequence.rgb, 1, '1.png'), (sequence.rgb, 2, '2.png'),
                              (sequence.depth, 3, 'd3.png')):
        with pytest.raises(DataError, match=str(folder / name)):
            read(index)


def test_part(tmp_path):
    whole = FramesFolder(make_frames_folder(tmp_path / 'run', 5))
    part = SequencePart(whole, 1, 4)
    assert (len(part), part.camera, part.name) == (3, whole.camera, 'run[1:4]')
    for n in range(3):
        assert part.stamp_ns(n) == whole.stamp_ns(n + 1)
        for read in ('rgb', 'depth', 'T_world_camera', 'moving'):
            np.testing.assert_array_equal(getattr(part, read)(n), getattr(whole, read)(n + 1))
    assert greys([SequencePart(part, 1, 3)]) == [2, 3]
    for first, last in ((2, 2), (-1, 3), (0, 6)):
        with pytest.raises(DataError, match=r'run has frames \[0, 5\)'):
            SequencePart(whole, first, last)


def test_a_tree_in_order(tmp_path):
    make_frames_folder(tmp_path / 'data/b', 2, value=20)
    make_frames_folder(tmp_path / 'data/a/2', 3, value=10)
    make_frames_folder(tmp_path / 'data/a/1', 2, value=0)
    # Linked data counts once, also where a link leads back up.
    (tmp_path / 'data/a/up').symlink_to(tmp_path / 'data')
    (tmp_path / 'data/c').symlink_to(make_frames_folder(tmp_path / 'elsewhere', 1, value=30))
    sequences = open_frames(tmp_path / 'data')
    assert [sequence.name for sequence in sequences] == ['a/1', 'a/2', 'b', 'c']
    assert greys(sequences) == [0, 1, 10, 11, 12, 20, 21, 30]
    # Ranges count through all of them, and two that meet make up the whole.
    for cut in range(1, 8):
        halves = (open_frames(tmp_path / 'data', 0, cut), open_frames(tmp_path / 'data', cut))
        assert greys(halves[0]) + greys(halves[1]) == greys(sequences)
        assert len(greys(halves[0])) == cut
    for first, last in ((0, 9), (-1, 3), (3, 3), (8, None)):
        with pytest.raises(DataError, match=r'has frames \[0, 8\)'):
            open_frames(tmp_path / 'data', first, last)


def test_unfinished_data_is_refused(tmp_path):
    make_frames_folder(tmp_path / 'data/a', 2)
    (tmp_path / 'data/journal.jsonl').write_text('{}\n')
    with pytest.raises(DataError, match=r'run the same `mdepth prepare` again'):
        open_frames(tmp_path / 'data')


def test_no_frames_at_all(tmp_path):
    with pytest.raises(DataError, match=r'holds no frames\.json'):
        open_frames(tmp_path)


def test_sequences_can_be_sent_to_other_processes(tmp_path):
    make_frames_folder(tmp_path / 'run', 3)
    assert greys(pickle.loads(pickle.dumps(open_frames(tmp_path / 'run', 1)))) == [1, 2]


@pytest.mark.skipif(not HOLOLENS.is_dir(), reason='the development frames are not here')
def test_real_frames():
    (part,) = open_frames(HOLOLENS, 300)
    assert len(part) == 73
    assert part.rgb(0).shape == (360, 540, 3)
    depth = part.depth(72)
    assert 0.4 < np.isfinite(depth).mean() < 0.9
    assert 0.1 < np.nanmin(depth) < np.nanmax(depth) < 10.0
