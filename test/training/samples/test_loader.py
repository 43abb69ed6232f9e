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

"""Batches from files: what step, rank, worker and restart change, and what they do not."""

import itertools
import json
from pathlib import Path
import subprocess
import sys
import time

import cv2
from mdepth_ros.training.datasets.frames_folder import open_frames
from mdepth_ros.training.datasets.sequence import DataError
from mdepth_ros.training.samples import loader
from mdepth_ros.training.samples.augment import take_view, View
from mdepth_ros.training.samples.loader import FolderSamples
from mdepth_ros.training.samples.neighbours import choose_neighbours
from mdepth_ros.training.samples.triplet import Triplet
import numpy as np
import pytest
import torch

SIZE = (64, 64)


def write_frames(folder, count=9, width=80, height=72, seed=0):
    """Write a frames folder of smooth random images."""
    rng = np.random.default_rng(seed)
    (folder / 'image').mkdir(parents=True)
    for i in range(count):
        coarse = rng.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
        image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f'image/{i:06d}.jpg'), image, [cv2.IMWRITE_JPEG_QUALITY, 95])
    (folder / 'frames.json').write_text(json.dumps({
        'width': width, 'height': height, 'fps': 10.0,
        'K': [[70.0, 0, 39.5], [0, 70, 35.5], [0, 0, 1]],
        'frames': [{'image': f'image/{i:06d}.jpg'} for i in range(count)]}))
    return folder


@pytest.fixture
def sequences(tmp_path):
    """Two sequences, 7 + 4 samples."""
    write_frames(tmp_path / 'a')
    write_frames(tmp_path / 'b', count=6, seed=1)
    return open_frames(tmp_path)


def samples(sequences, batch=4, **options):
    triplets = [choose_neighbours(sequence, 1).triplets for sequence in sequences]
    return FolderSamples(sequences, triplets, *SIZE, batch=batch,
                         **{'seed': 5, 'tracks': 8, **options})


def take(source, count, first=0):
    return list(itertools.islice(source.batches(first), count))


def same(one, other):
    return all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(one, other))


def test_shapes_and_types(sequences):
    batch = take(samples(sequences), 1)[0]
    assert batch.frames.shape == batch.augmented.shape == (4, 3, 3, 64, 64)
    assert batch.frames.dtype == batch.augmented.dtype == torch.uint8
    assert batch.K.shape == (4, 3, 3)
    assert batch.K.dtype == torch.float32


def test_plain_samples_are_the_files_and_an_epoch_has_each_once(sequences):
    source = samples(sequences, batch=1, augment=False)
    assert source.samples_per_epoch == 11
    expected = [[take_view(s.rgb(i), s.camera.K, *SIZE, View()) for i in (t - 1, t, t + 1)]
                for s in sequences for t in range(1, len(s) - 1)]
    for epoch in range(2):
        seen = []
        for batch in take(source, 11, first=11 * epoch):
            found = [n for n, sample in enumerate(expected) if all(
                np.array_equal(image.transpose(2, 0, 1), batch.frames[0, i].numpy())
                for i, (image, _) in enumerate(sample))]
            seen += found
            assert np.allclose(batch.K[0], expected[found[0]][0][1])
            assert torch.equal(batch.frames, batch.augmented)
        assert sorted(seen) == list(range(11))
        assert seen != list(range(11))


def test_a_run_that_starts_later_sees_the_same(sequences):
    whole = take(samples(sequences), 8)
    resumed = take(samples(sequences), 3, first=5)
    assert all(map(same, whole[5:], resumed))
    assert not same(whole[0], whole[1])
    assert not same(whole[0], take(samples(sequences, seed=6), 1)[0])


def test_ranks_joined_are_one_process(sequences):
    whole = take(samples(sequences, batch=6), 5)
    ranks = [take(samples(sequences, batch=6, rank=rank, world_size=3), 5) for rank in range(3)]
    for step, batch in enumerate(whole):
        joined = [torch.cat([rank[step][n] for rank in ranks]) for n in range(4)]
        assert same(batch, joined)


def test_each_epoch_has_views_and_colours_of_its_own(tmp_path):
    sequences = open_frames(write_frames(tmp_path / 'one', count=3))
    batches = take(samples(sequences, batch=1), 30)  # thirty epochs of one sample
    assert len({batch.frames.numpy().tobytes() for batch in batches}) == 30
    changed = [batch for batch in batches if not torch.equal(batch.frames, batch.augmented)]
    assert 7 <= len(changed) <= 23
    assert len({float(batch.K[0, 0, 0]) for batch in batches}) > 10


def test_the_frames_of_a_sample_share_view_and_colours(tmp_path):
    folder = write_frames(tmp_path / 'one', count=3)
    for i in (0, 2):  # three times the same image
        (folder / f'image/{i:06d}.jpg').write_bytes(
            (folder / 'image/000001.jpg').read_bytes())
    for batch in take(samples(open_frames(folder), batch=1), 12):
        for images in (batch.frames, batch.augmented):
            assert torch.equal(images[:, 0], images[:, 1])
            assert torch.equal(images[:, 2], images[:, 1])


def test_workers_give_the_same_and_report_the_file(sequences, tmp_path):
    source = samples(sequences, workers=2)
    assert all(map(same, take(samples(sequences), 6), take(source, 6)))
    broken = tmp_path / 'b/image/000002.jpg'
    broken.write_bytes(broken.read_bytes()[:300])
    for workers in (1, 0):
        with pytest.raises(DataError, match=r'^\S*b/image/000002\.jpg .*') as error:
            take(samples(sequences, workers=workers), 6)
        assert '\n' not in str(error.value)


def runs(process):
    """Whether a /proc folder is a living process; in a container nobody may collect a dead one."""
    try:
        return (process / 'stat').read_text().rsplit(')', 1)[1].split()[0] != 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not Path('/proc/self/stat').exists(), reason='looks processes up in /proc')
def test_workers_end_with_a_killed_parent(sequences, tmp_path):
    script = tmp_path / 'run.py'
    script.write_text(
        'import multiprocessing, pathlib, time\n'
        'from mdepth_ros.training.datasets.frames_folder import open_frames\n'
        'from mdepth_ros.training.samples.loader import FolderSamples\n'
        'from mdepth_ros.training.samples.triplet import Triplet\n'
        "if __name__ == '__main__':\n"
        f'    source = FolderSamples(open_frames(pathlib.Path({str(tmp_path / "a")!r})),\n'
        '        [[Triplet(1, 0, 2)]], 64, 64, batch=1, seed=0, workers=1)\n'
        '    batches = source.batches()\n'
        '    next(batches)\n'
        '    print(multiprocessing.active_children()[0].pid, flush=True)\n'
        '    time.sleep(60)\n')
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        worker = Path('/proc') / parent.stdout.readline().strip()
        assert runs(worker)
        parent.kill()
    deadline = time.monotonic() + 10
    while runs(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not runs(worker)


@pytest.mark.skipif(not Path('/dev/shm').is_dir(), reason='no folder for shared memory')
def test_too_little_shared_memory_is_said_before_a_worker_dies_of_it(sequences):
    triplets = [choose_neighbours(sequence, 1).triplets for sequence in sequences]
    huge = FolderSamples(sequences, triplets, 6400, 6400, batch=1_000_000, seed=0, workers=2)
    # 2 x 9 planes of 41 MB and a million samples; each worker keeps two batches, one is in use.
    with pytest.raises(DataError, match=r'2 workers .* need 3686400000 MB .* has \d+ MB'):
        next(huge.batches())


def test_the_processes_of_a_machine_share_its_memory(sequences, monkeypatch):
    one = samples(sequences, workers=1, world_size=2)
    own = 3 * 2 * 2 * 9 * 64 * 64  # three batches of two samples
    monkeypatch.setattr(loader, '_shared_memory', lambda: (2 * own - 1, own))
    with pytest.raises(DataError, match='1 workers in each of 2 processes need 1 MB'):
        next(one.batches())
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '1')  # the other one is on another machine
    next(one.batches())
    monkeypatch.setattr(loader, '_shared_memory', lambda: (2 * own, own - 1))
    with pytest.raises(DataError, match='0 MB free'):
        next(one.batches())


def test_bad_arguments_name_both_sides(sequences):
    with pytest.raises(ValueError, match=r'batch 4 .* world_size 3'):
        samples(sequences, batch=4, world_size=3)
    with pytest.raises(ValueError, match='each of 2 sequences, got 1'):
        FolderSamples(sequences, [[Triplet(1, 0, 2)]], *SIZE, batch=1, seed=0)
    with pytest.raises(ValueError, match='no samples in 2'):
        FolderSamples(sequences, [[], []], *SIZE, batch=1, seed=0)


def test_followed_points_show_the_same_thing_in_whatever_view(tmp_path):
    """Frames shifted by 3 px: so are the points, times the view's scale; also at its edges."""
    folder = write_frames(tmp_path, count=3)
    first = cv2.imread(str(folder / 'image/000000.jpg'))
    for i in range(3):
        shifted = np.roll(first, -3 * i, axis=1)
        cv2.imwrite(str(folder / f'image/{i:06d}.jpg'), shifted, [cv2.IMWRITE_JPEG_QUALITY, 99])
    source = samples(open_frames(folder), batch=1, tracks=16)
    for batch in take(source, 6):
        target = batch.tracks[..., :2]
        assert ((target >= 0) & (target <= 63) | target.isnan()).all()
        scale = batch.K[0, 0, 0] / 70
        to_before, to_after = (track[:, 2:] - track[:, :2] for track in batch.tracks[0])
        mirrored = (batch.tracks[0, 0, :, 2] - batch.tracks[0, 0, :, 0]).nanmedian() < 0
        sign = -1 if mirrored else 1
        for moved, expected in ((to_before, 3), (to_after, -3)):
            assert (~moved.isnan()).any()
            assert moved[:, 0].nanmedian() == pytest.approx(sign * expected * scale, abs=0.3)
            assert moved[:, 1].nanmedian() == pytest.approx(0, abs=0.3)
