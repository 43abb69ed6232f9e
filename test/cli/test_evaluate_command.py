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

from functools import partial
import json
from pathlib import Path

import cv2
from mdepth_ros.cli.main import main
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.evaluation.data import choose_stretches, DataChoice, synthetic_sequences
import numpy as np
import pytest
from tqdm import tqdm

HOLOLENS = Path(__file__).resolve().parents[2].parent / 'shared/data/hololens'
DRIVE = Path('2011_09_26/2011_09_26_drive_0002_sync')
# The images are noise: only PoseNet says something about their motion.
SIZE = ('--size', '64x64', '--device', 'cpu', '--method', 'published')


def noise(seed, height=48, width=64):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


@pytest.fixture
def frames(tmp_path):
    """Make a frames folder of five images, all but the last with 1 m of truth on the left."""
    folder = tmp_path / 'frames'
    entries = []
    for i in range(5):
        write(folder / f'{i}.png', noise(i))
        entries.append({'image': f'{i}.png'})
        if i < 4:
            depth = np.zeros((48, 64), np.uint16)
            depth[:, :32] = 1000
            write(folder / f'd{i}.png', depth)
            entries[-1]['depth'] = f'd{i}.png'
    (folder / 'frames.json').write_text(json.dumps({
        'width': 64, 'height': 48, 'K': [[50, 0, 31.5], [0, 50, 23.5], [0, 0, 1]],
        'depth_unit_m': 0.001, 'frames': entries}))
    return folder


@pytest.fixture
def kitti(tmp_path):
    """Frames 0, 1 and 2 of a drive of 64 x 48 pixels; a wall 10 m ahead of the lidar."""
    root = tmp_path / 'kitti'
    drive = root / DRIVE
    for i in range(3):
        write(drive / f'image_02/data/{i:010}.png', noise(i))
    stamps = ''.join(f'2011-09-26 13:02:25.{i}00000000\n' for i in range(3))
    (drive / 'image_02/timestamps.txt').write_text(stamps)
    y, z = np.meshgrid(np.linspace(-6, 6, 80), np.linspace(-4.5, 4.5, 60))
    points = np.stack([np.full_like(y, 10), y, z, np.zeros_like(y)], axis=-1)
    scans = drive / 'velodyne_points/data'
    scans.mkdir(parents=True)
    for i in range(3):
        points.reshape(-1, 4).astype('<f4').tofile(scans / f'{i:010}.bin')
    date = root / DRIVE.parent
    eye = '1 0 0 0 1 0 0 0 1'
    (date / 'calib_cam_to_cam.txt').write_text(
        f'R_rect_00: {eye}\nS_rect_02: 64 48\nP_rect_02: 50 0 31.5 0 0 50 23.5 0 0 0 1 0\n')
    (date / 'calib_velo_to_cam.txt').write_text('R: 0 -1 0 0 0 -1 1 0 0\nT: 0 0 0\n')
    (tmp_path / 'eigen.json').write_text(json.dumps({
        'test': {'2011_09_26/0002': [0, 2]}, 'training_drives': [],
        'without_improved_ground_truth': ['2011_09_26/0002/0']}))
    return root


def test_numbers_and_pictures_of_a_frames_folder(frames, tiny_weights, tmp_path, capsys):
    out = tmp_path / 'deep/out.json'
    plots = tmp_path / 'plots'
    assert main(['evaluate', '--weights', str(tiny_weights), '--data', str(frames), *SIZE,
                 '--json', str(out), '--per-frame', '--plots', str(plots)]) == 0
    report = json.loads(out.read_text())
    assert (report['frames'], report['frames_run'], report['frames_multi']) == (4, 5, 4)
    assert report['multi_wins']['of'] == 3
    assert report['size'] == '64x64'
    assert report['weights'] == str(tiny_weights)
    assert report['protocol'].startswith('all: truth from 0.1 to 80 m')
    assert len(report['per_frame']) == 5
    printed = capsys.readouterr().out
    assert f'{report["single"]["abs_rel"]:.3f}' in printed
    assert f'{report["multi"]["abs_rel"]:.3f}' in printed
    for name in ('frames.png', 'scale.png', 'samples.png'):
        picture = cv2.imread(str(plots / name))
        assert min(picture.shape[:2]) > 200
        assert picture.std() > 5


def test_data_without_truth_gets_null_and_a_picture(frames, tiny_weights, tmp_path, capsys):
    content = json.loads((frames / 'frames.json').read_text())
    for entry in content['frames']:
        entry.pop('depth', None)
    (frames / 'frames.json').write_text(json.dumps(content))
    assert main(['evaluate', '--weights', str(tiny_weights), '--data', str(frames), *SIZE,
                 '--json', str(tmp_path / 'out.json'), '--plots', str(tmp_path)]) == 0
    report = json.loads((tmp_path / 'out.json').read_text())
    assert report['single'] is report['multi'] is None
    assert 'no truth' in capsys.readouterr().out
    assert (tmp_path / 'samples.png').stat().st_size > 0
    assert not (tmp_path / 'frames.png').exists()


def test_eigen_test_frames(kitti, tiny_weights, tmp_path):
    words = ['evaluate', '--weights', str(tiny_weights), '--data', str(kitti), *SIZE,
             '--kitti-split', str(tmp_path / 'eigen.json'), '--json', str(tmp_path / 'out.json'),
             '--per-frame']
    assert main([*words, '--split', 'eigen']) == 0
    report = json.loads((tmp_path / 'out.json').read_text())
    assert [(f['index'], f['mode']) for f in report['per_frame']] == [(0, 'single'), (2, 'multi')]
    assert report['frames'] == 2
    assert report['subsets']['matched']['frames'] == 1
    assert report['single']['abs_rel'] > 0

    improved = tmp_path / 'improved'
    write(improved / f'val/{DRIVE.name}/proj_depth/groundtruth/image_02/0000000002.png',
          np.full((48, 64), 256 * 20, np.uint16))
    assert main([*words, '--split', 'eigen_benchmark', '--benchmark', str(improved)]) == 0
    report = json.loads((tmp_path / 'out.json').read_text())
    assert [(f['index'], f['mode']) for f in report['per_frame']] == [(2, 'multi')]


def test_all_of_kitti_is_one_camera_with_its_scans(kitti):
    stretch, = choose_stretches(DataChoice(str(kitti)))
    assert list(stretch.indices) == [0, 1, 2]
    assert np.nanmedian(stretch.truth(1)) == pytest.approx(10)


def test_synthetic_worlds():
    assert [(s.config.kind, s.seed) for s in synthetic_sequences('synthetic:indoor:7-9')] == [
        ('indoor', 7), ('indoor', 8), ('indoor', 9)]
    assert [s.seed for s in synthetic_sequences('synthetic:driving:5')] == [5]
    assert {s.config.kind for s in synthetic_sequences('synthetic')} == {
        'driving', 'indoor', 'handheld'}
    for text in ('synthetic:sea', 'synthetic:', 'synthetic:indoor:x', 'synthetic:indoor:3-1'):
        with pytest.raises(MdepthError, match='synthetic'):
            synthetic_sequences(text)


@pytest.mark.parametrize(('words', 'text'), [
    (['--data', 'nowhere'], 'no data at nowhere'),
    (['--data', 'synthetic:sea'], "got 'synthetic:sea'"),
    (['--data', 'synthetic', '--first', '3'], 'needs a single sequence'),
    (['--data', 'synthetic:indoor:1', '--last', '30'], 'has frames 0 to 29, asked for 0 to 30'),
    (['--data', '.', '--split', 'eigen', '--every', '2'], 'the frames of eigen are fixed'),
    (['--data', '.', '--split', 'eigen_benchmark'], 'needs --benchmark DIR'),
    (['--data', '.', '--per-frame'], '--per-frame is for --json alone'),
    (['--data', '.', '--benchmark', '.'], '--benchmark is for --split eigen_benchmark alone'),
    (['--data', '.', '--kitti-split', '.'], '--kitti-split is for the Eigen test set alone'),
    (['--data', '.', '--split', 'eigen', '--kitti-split', 'none.json'], 'none.json'),
    (['--data', 'synthetic:indoor:1', '--weights', 'none.safetensors'], 'none.safetensors'),
    (['--data', 'synthetic', '--json', '/dev/null/out.json'], 'cannot make the folder /dev/null'),
    (['--data', 'synthetic', '--json', '/'], '--json / is a folder'),
])
def test_what_cannot_work_is_one_line(words, text, capsys):
    assert main(['evaluate', *words, '--device', 'cpu']) == 1
    error = capsys.readouterr().err.strip()
    assert text in error
    assert error.count('\n') == 0


def test_samples_are_drawn_where_no_bar_is_shown(frames, tiny_weights, tmp_path, monkeypatch):
    pictures = []
    for disabled in False, True:
        # As by TQDM_DISABLE=1, which tqdm reads once, when it is imported.
        monkeypatch.setattr('mdepth_ros.cli.evaluate.tqdm', partial(tqdm, disable=disabled))
        assert main(['evaluate', '--weights', str(tiny_weights), '--data', str(frames), *SIZE,
                     '--plots', str(tmp_path / 'plots')]) == 0
        pictures.append(cv2.imread(str(tmp_path / 'plots/samples.png')).shape)
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize('size', ['100x64', '12', '64x', 'big'])
def test_sizes_that_no_network_takes(size, capsys):
    with pytest.raises(SystemExit):
        main(['evaluate', '--data', '.', '--size', size])
    assert '--size' in capsys.readouterr().err


@pytest.mark.skipif(not HOLOLENS.is_dir(), reason='the development data is not here')
def test_default_weights_see_a_real_room(tmp_path):
    out = tmp_path / 'out.json'
    assert main(['evaluate', '--data', str(HOLOLENS), '--first', '360', '--last', '372',
                 '--size', '192x128', '--device', 'cpu', '--json', str(out)]) == 0
    report = json.loads(out.read_text())
    assert report['frames'] == 13
    # One and the same depth for the whole picture has 0.27 on these frames.
    assert report['single']['abs_rel'] < 0.22
    assert report['multi']['abs_rel'] < 0.22
