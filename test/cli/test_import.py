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

"""``mdepth import``: what it says, what it refuses, and what runs with an imported model."""

from mdepth_ros.cli.main import main
from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.estimator import DepthEstimator, NOTHING_MATCHES
from mdepth_ros.engine.frames import Frame, Mode
from mdepth_ros.engine.preprocess import network_input
from mdepth_ros.geometry.depth import disparity_to_depth
from mdepth_ros.networks.checkpoint import load_checkpoint
import numpy as np
from published_files import write
import pytest
import torch


def run_import(folder, out, capsys):
    """Import; returns status and text, stdout or the one line on stderr."""
    status = main(['import', str(folder), '--out', str(out)])
    captured = capsys.readouterr()
    if status:
        assert captured.out == ''
        assert captured.err.count('\n') == 1, captured.err
        assert not out.exists()
    return status, captured.err if status else captured.out


@pytest.fixture(scope='module')
def monodepth2(tmp_path_factory):
    folder = tmp_path_factory.mktemp('monodepth2')
    assert main(['import', str(write(folder, 'monodepth2')), '--out',
                 str(folder / 'model.safetensors')]) == 0
    return folder / 'model.safetensors'


def forget_delta(states):
    del states['reg3d']['depth_bin_facs']


@pytest.mark.parametrize(('kind', 'change', 'profile', 'size', 'said'), [
    ('mism', None, 'paper', (128, 64), ['RA-L 2023', 'unclear', 's_encoder.pth', 'up.pth']),
    ('mism', forget_delta, 'paper', (640, 192), ['missing: delta (depth_bin_facs): 1 every']),
    ('movedepth', None, 'movedepth', (640, 192), ['MOVEDepth', 'missing: delta', 'unclear']),
    ('monodepth2', None, 'monodepth2', (128, 64),
     ['non-commercial use only', 'missing: M-DepthNet: every depth is single-frame']),
])
def test_what_it_is_and_what_is_missing_is_said(tmp_path, capsys, kind, change, profile, size,
                                                said):
    out = tmp_path / 'new' / 'model.safetensors'
    status, text = run_import(write(tmp_path / 'files', kind, change), out, capsys)
    assert status == 0
    for words in [*said, 'ships none of these weights', 'confidence is not calibrated']:
        assert words in text
    config = load_checkpoint(out).config
    assert (config.profile, (config.width, config.height)) == (profile, size)
    assert config.multi_frame is (kind != 'monodepth2')


def test_other_files_are_named_and_left_alone(tmp_path, capsys):
    def add(states):
        states['adam'] = {'state': {0: {'step': 1}}, 'param_groups': []}
        states['other'] = {'a.weight': torch.ones(2)}
    _, text = run_import(write(tmp_path / 'files', 'monodepth2', add), tmp_path / 'm', capsys)
    assert 'not used: adam.pth (0 tensors, no weights)' in text
    assert 'not used: other.pth (1 tensors, first a.weight)' in text


def test_files_of_old_versions_of_pytorch(tmp_path, capsys):
    folder = write(tmp_path / 'files', 'monodepth2')
    for path in folder.glob('*.pth'):
        torch.save(torch.load(path, weights_only=True), path,
                   _use_new_zipfile_serialization=False)
    assert run_import(folder, tmp_path / 'm', capsys)[0] == 0


def change_one(name, change):
    return lambda states: change(states[name])


def rename(old, new):
    def change(states):
        states[new] = states.pop(old)
    return change


@pytest.mark.parametrize(('change', 'words'), [
    (change_one('s_encoder', lambda s: s.pop('conv1.weight')),
     ['s_encoder.pth does not fit single.encoder', '1 missing, first conv1.weight (64, 3, 3, 3)']),
    (change_one('pose', lambda s: s.update({'net.0.weight': torch.ones(256, 512, 3, 3)})),
     ['pose.pth', 'net.0.weight is (256, 512, 3, 3), expected (256, 512, 1, 1)']),
    (change_one('up', lambda s: s.update(colour=torch.ones(3))),
     ['up.pth', '1 unknown, first colour (3,)']),
    (change_one('m_encoder', lambda s: s['out.weight'].fill_(float('nan'))),
     ['m_encoder.pth', '1 not finite, first out.weight']),
    (change_one('reg3d', lambda s: s.update(depth_bin_facs=torch.ones(2, 16, 32))),
     ['reg3d.pth: depth_bin_facs must be (h, w)', 'got (2, 16, 32)']),
    (change_one('reg3d', lambda s: s.update(depth_bin_facs=torch.ones(15, 32))),
     ['multiples of 8 and h x w at most 1048576, got (15, 32)']),
    (change_one('reg3d', lambda s: s.update(
        depth_bin_facs=torch.ones(1).expand(2**20, 2**20))), ['got (1048576, 1048576)']),
    (change_one('reg3d', lambda s: s['depth_bin_facs'].fill_(-1)), ['not negative']),
    (lambda states: states.pop('up'), ['has no file of multi.upsampler']),
    (lambda states: states.pop('pose'), ['has no file of pose.decoder']),
    (lambda states: states.update(again=states['pose']),
     ['two files of pose.decoder: again.pth and pose.pth']),
    (lambda states: states.update(up=torch.nn.Linear(2, 2)),
     ['up.pth must hold plain tensors only: it asks for torch.nn.modules.linear.Linear']),
    (lambda states: states.clear(), ['there is no .pth file in']),
])
def test_a_changed_folder_gives_one_line(tmp_path, capsys, change, words):
    status, text = run_import(write(tmp_path / 'files', 'mism', change), tmp_path / 'm', capsys)
    assert status == 1
    for word in words:
        assert word in text


def test_a_link_to_nothing_gives_one_line(tmp_path, capsys):
    folder = write(tmp_path / 'files', 'monodepth2')
    (folder / 'a.pth').symlink_to(folder / 'gone')
    status, text = run_import(folder, tmp_path / 'm', capsys)
    assert (status, 'there is no weights file' in text) == (1, True)


def test_half_a_file_gives_one_line(tmp_path, capsys):
    folder = write(tmp_path / 'files', 'monodepth2')
    (folder / 'pose.pth').write_bytes(b'PK\x03\x04')
    status, text = run_import(folder, tmp_path / 'm', capsys)
    assert (status, 'pose.pth' in text) == (1, True)


def test_the_parts_of_two_models_do_not_mix(tmp_path, capsys):
    folder = write(tmp_path / 'files', 'mism')
    (folder / 's_depth.pth').unlink()
    other = write(tmp_path / 'other', 'monodepth2')
    (other / 'depth.pth').rename(folder / 'depth.pth')
    text = run_import(folder, tmp_path / 'm', capsys)[1]
    assert 's_encoder.pth is an encoder of hrnet18, but' in text
    assert 'depth.pth is a decoder of resnet18' in text


@pytest.mark.parametrize('backend', ['torch', 'openvino'])
@pytest.mark.parametrize('method', ['robust', 'published'])
def test_without_multi_frame_every_depth_is_single_frame_and_says_why(
    monodepth2, backend, method
):
    """Of a camera that moves: other weights would match. `published` is S-DepthNet to the bit."""
    estimator = DepthEstimator.from_checkpoint(monodepth2, EngineConfig(
        'cpu', method=method, backend=backend, width=128, height=64, threads=1))
    estimator.warm_up()
    wall = np.kron(np.random.default_rng(0).integers(0, 256, (16, 48, 3), np.uint8),
                   np.ones((4, 4, 1), np.uint8))
    camera = Camera.from_fov(128, 64, 80.0)
    for i in range(3):
        estimate = estimator.push(Frame(
            np.ascontiguousarray(wall[:, 8 * i:8 * i + 128]), camera, i * 10**8 + 1))
        assert (estimate.mode, estimate.reason) == (Mode.SINGLE, NOTHING_MATCHES)
        assert estimate.source_stamp_ns is None
    # The motion is known all the same, and with it odometry and the scale from it.
    assert estimate.previous_stamp_ns == 10**8 + 1
    if method == 'published':
        assert torch.equal(estimate.depth, estimate.single_depth)
    if backend == 'torch':
        model = load_checkpoint(monodepth2)
        with torch.no_grad():
            disparity = model.single(network_input(estimate.rgb, torch.device('cpu'))).disparity
        expected = disparity_to_depth(disparity, 0.1, 100.0)
        torch.testing.assert_close(estimate.single_depth, expected, rtol=1e-5, atol=0)


def test_training_says_that_it_needs_multi_frame(monodepth2):
    from mdepth_ros.errors import MdepthError
    from mdepth_ros.training.loop.recipe import DataConfig, Recipe
    from mdepth_ros.training.loop.schedule import Schedule
    from mdepth_ros.training.loop.start import start_model
    recipe = Recipe(DataConfig('frames'), start=str(monodepth2), refine=Schedule(1, rate=1e-4))
    with pytest.raises(MdepthError, match='has no M-DepthNet, which training needs'):
        start_model(recipe, 0)


def test_it_is_exported_without_what_it_lacks(monodepth2, tmp_path, capsys):
    assert main(['export', '--format', 'openvino', '--weights', str(monodepth2), '--out',
                 str(tmp_path), '--size', '128x64']) == 0
    assert capsys.readouterr().out.count('differs from PyTorch') == 2
