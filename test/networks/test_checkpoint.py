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

import json
import math
import os
import struct

from mdepth_ros.config import lite_config, ModelConfig
from mdepth_ros.errors import CheckpointError
from mdepth_ros.networks.checkpoint import load_checkpoint, save_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
import pytest
from safetensors import safe_open
from safetensors.torch import save_file
import torch

CONFIG = ModelConfig(**lite_config().to_dict() | {'width': 96, 'height': 64, 'scale': 1.5})


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    return DepthModel(CONFIG)


@pytest.fixture(scope='module')
def saved(model, tmp_path_factory):
    path = tmp_path_factory.mktemp('checkpoint') / 'model.safetensors'
    save_checkpoint(model, path, notes='recipe 7')
    return path


def parts(path):
    with safe_open(path, framework='pt') as file:
        return {key: file.get_tensor(key) for key in file.keys()}, file.metadata()  # noqa: SIM118


def refused(path):
    """Load, and return the error, which must be one line that names the file."""
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    text = str(caught.value)
    assert '\n' not in text
    assert str(path) in text
    return text


def changed(saved, tmp_path, change_tensors=None, **metadata):
    tensors, old = parts(saved)
    if change_tensors is not None:
        change_tensors(tensors)
    path = tmp_path / 'changed.safetensors'
    save_file(tensors, path, {key: value for key, value in (old | metadata).items()
                              if value is not None})
    return path


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16])
def test_round_trip(model, tmp_path, dtype):
    path = tmp_path / 'model.safetensors'
    save_checkpoint(model, path, dtype)
    loaded = load_checkpoint(path)
    assert loaded.config == CONFIG
    assert not loaded.training
    for key, value in model.state_dict().items():
        back = loaded.state_dict()[key]
        assert back.dtype == value.dtype
        assert torch.equal(back, value.to(dtype).to(value.dtype)
                           if value.is_floating_point() else value), key
    assert parts(path)[1]['notes'] == ''


def test_half_is_half_the_size(model, saved, tmp_path):
    save_checkpoint(model, tmp_path / 'half.safetensors', torch.float16)
    assert (tmp_path / 'half.safetensors').stat().st_size < 0.55 * saved.stat().st_size


@pytest.mark.parametrize('share', [0.0, 1e-6, 1e-3, 0.5, 0.999999])
def test_truncated(saved, tmp_path, share):
    path = tmp_path / 'short.safetensors'
    data = saved.read_bytes()
    path.write_bytes(data[:math.ceil(len(data) * share) if share else 0])
    assert f'is not a whole safetensors file ({path.stat().st_size} bytes)' in refused(path)


def test_missing_and_folder(tmp_path):
    assert 'there is no weights file' in refused(tmp_path / 'nothing.safetensors')
    assert 'there is no weights file' in refused(tmp_path)


@pytest.mark.parametrize('content', [
    b'version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n', b'\x80\x02}q\x00.',
    b'PK\x03\x04', struct.pack('<Q', 2**40) + b'{}', struct.pack('<Q', 4) + b'{{{{'])
def test_other_files(tmp_path, content):
    path = tmp_path / 'model.safetensors'
    path.write_bytes(content)
    assert 'is not a whole safetensors file' in refused(path)


def test_foreign_safetensors(tmp_path):
    path = tmp_path / 'foreign.safetensors'
    save_file({'weight': torch.zeros(3)}, path)
    assert 'not one of mdepth_ros: format is None' in refused(path)
    save_file({'weight': torch.zeros(3)}, path, {'format': 'pt'})
    assert "not one of mdepth_ros: format is 'pt'" in refused(path)


def test_other_versions(saved, tmp_path):
    path = changed(saved, tmp_path, format_version='2')
    assert 'has format version 2, this mdepth_ros reads 1' in refused(path)
    path = changed(saved, tmp_path, format_version=None)
    assert 'has format version None' in refused(path)
    assert len(refused(changed(saved, tmp_path, format_version='2' * 10**5))) < 1000


def test_other_formats(saved, tmp_path):
    assert len(refused(changed(saved, tmp_path, format='x' * 10**5))) < 1000


@pytest.mark.parametrize(('config', 'text'), [
    (None, "has no usable config: 'config'"), ('{', 'has no usable config: Expecting'),
    ('3', 'no usable config'), ('[]', 'no usable config'),
    (json.dumps(CONFIG.to_dict() | {'colour': 1}), "unknown keys ['colour'], known are"),
    (json.dumps(CONFIG.to_dict() | {f'x{i:050}': 1 for i in range(99)}), "', ...], known"),
    (json.dumps(CONFIG.to_dict() | {'profile': 'other'}), 'profile must be one of'),
    (json.dumps(CONFIG.to_dict() | {'regulariser': 'unet3d', 'hypotheses': 12}),
     'hypotheses must be a multiple of 8 for unet3d, got 12'),
    (json.dumps({'profile': 'lite'}), 'missing 5 required'),
    (json.dumps(CONFIG.to_dict() | {'width': 97}), 'positive multiples of 32, got 97 x 64'),
    (json.dumps(CONFIG.to_dict() | {'width': '96'}), "width must be a whole number, got '96'"),
    (json.dumps(CONFIG.to_dict() | {'groups': 16.0}), 'groups must be a whole number, got 16.0'),
    (json.dumps(CONFIG.to_dict() | {'scale': math.inf}), 'scale must be a finite number'),
    (json.dumps(CONFIG.to_dict() | {'single_encoder': ['vgg']}), 'single_encoder must be one of'),
    (json.dumps(CONFIG.to_dict() | {'single_encoder': 9 * ['vgg']}), "'vgg', 'vgg', ...]"),
])
def test_unusable_configs(saved, tmp_path, config, text):
    assert text in refused(changed(saved, tmp_path, config=config))


def set_nan(tensors):
    tensors[min(tensors)].view(-1)[0] = math.nan


@pytest.mark.parametrize(('change', 'text'), [
    (lambda t: t.pop(min(t)), '1 missing, first '),
    (lambda t: t.update(new=torch.zeros(1)), '1 unknown, first new'),
    (lambda t: t.update({'multi.delta': torch.zeros(1, 1, 4, 4)}),
     '1 of another shape, first multi.delta is (1, 1, 4, 4), expected (1, 1, 16, 24)'),
    (set_nan, '1 not finite, first '),
    (lambda t: t.update({min(t): t[min(t)].to(torch.float8_e4m3fn)}), '1 of another type, first '),
    (lambda t: t.update({min(t): t[min(t)].int()}), '1 of another type, first '),
    (lambda t: t['multi.delta'].fill_(-2.0), 'multi.delta must not be negative'),
    (lambda t: [t.clear(), t.update(new=torch.zeros(1))], 'missing, first'),
])
def test_tensors_that_do_not_fit(saved, tmp_path, change, text):
    error = refused(changed(saved, tmp_path, change))
    assert 'does not fit its own config' in error
    assert text in error


def test_a_file_without_a_trust_net_is_refused(saved, tmp_path):
    def without(tensors):
        for key in [key for key in tensors if key.startswith('trust.')]:
            del tensors[key]
    assert 'missing, first trust.' in refused(changed(saved, tmp_path, without))


def test_a_failed_write_leaves_the_old_file(model, tmp_path, monkeypatch):
    path = tmp_path / 'model.safetensors'
    path.write_bytes(b'old')

    def fail(*arguments):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', fail)
    with pytest.raises(CheckpointError, match=r'cannot write .*No space left'):
        save_checkpoint(model, path)
    assert path.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['model.safetensors']


def test_unwritable_places(model, tmp_path):
    with pytest.raises(CheckpointError, match='cannot write'):
        save_checkpoint(model, tmp_path / 'no' / 'folder.safetensors')
    (tmp_path / 'file').write_bytes(b'')
    with pytest.raises(CheckpointError, match='cannot write'):
        save_checkpoint(model, tmp_path / 'file' / 'model.safetensors')


def test_weights_that_could_not_be_read_back_are_not_written(tmp_path):
    model = DepthModel(CONFIG)
    path = tmp_path / 'model.safetensors'
    save_checkpoint(model, path)
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] = 1e6  # infinite in half precision
    old = path.read_bytes()
    with pytest.raises(CheckpointError, match=r'1 tensors are not finite as torch\.float16'):
        save_checkpoint(model, path, torch.float16)
    assert path.read_bytes() == old
    save_checkpoint(model, path)


@pytest.mark.parametrize(('config', 'reason'), [
    ('[' * 20_000, 'nested|recursion'),
    ({'min_depth': 10**400}, 'min_depth must be a finite number'),
    ({'width': 2**31 - 32, 'height': 2**31 - 32}, 'at most 8192'),
    ({'matching_channels': 2**20}, 'matching_channels times hypotheses must be at most 8192'),
    ({'hypotheses': 2**20}, 'matching_channels times hypotheses must be at most 8192'),
], ids=['deep', 'huge', 'size', 'channels', 'hypotheses'])
def test_a_config_that_would_take_all_memory_or_break_the_parser(tmp_path, config, reason):
    path = tmp_path / 'model.safetensors'
    save_checkpoint(DepthModel(lite_config()), path, torch.float16)
    data = path.read_bytes()
    size = int.from_bytes(data[:8], 'little')
    header = json.loads(data[8:8 + size])
    if isinstance(config, dict):
        config = json.dumps(json.loads(header['__metadata__']['config']) | config)
    header['__metadata__']['config'] = config
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, 'little') + text + data[8 + size:])
    with pytest.raises(CheckpointError, match=f'has no usable config: .*({reason})'):
        load_checkpoint(path)
