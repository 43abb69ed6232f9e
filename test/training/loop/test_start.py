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

"""What the networks of a run start from."""

import dataclasses

from mdepth_ros.config import paper_config
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.checkpoint import load_checkpoint
from mdepth_ros.networks.efficientnet import EfficientNetLite0Encoder
from mdepth_ros.networks.encoders import build_encoder
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.loop.start import start_model
import pytest
from runs import make_recipe, tiny_start
import torch
from torch import nn

# Keys that the published classifiers have besides the encoder's.
HEADS = {'hrnet18': ('incre_modules.0.0.conv1.weight', 'downsamp_modules.0.0.bias',
                     'final_layer.0.weight', 'classifier.weight'),
         'resnet18': ('fc.weight', 'fc.bias')}


def publish(folder, name):
    """Write a file like the public one: the classifier's keys, and no count of batches."""
    torch.manual_seed(7)
    encoder = build_encoder(name)
    inner = encoder.encoder if name == 'resnet18' else encoder
    path = folder / f'{name}.pth'
    torch.save({key: value for key, value in inner.state_dict().items()
                if not key.endswith('num_batches_tracked')}
               | {key: torch.ones(2) for key in HEADS[name]}, path)
    return path, encoder


def same(one: nn.Module, other: nn.Module):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters()))


@pytest.fixture
def recipe(tmp_path):
    return make_recipe('nowhere', 'imagenet', model='paper', teacher=Schedule(1))


def test_paper_encoders_start_from_public_files(recipe, tmp_path):
    hrnet, single = publish(tmp_path, 'hrnet18')
    resnet, pose = publish(tmp_path, 'resnet18')
    model = start_model(dataclasses.replace(
        recipe, imagenet={'hrnet18': str(hrnet), 'resnet18': str(resnet)}), seed=0)
    assert model.config == dataclasses.replace(paper_config(), width=64, height=64)
    assert same(model.single.encoder, single)
    image = torch.rand(1, 3, 64, 64)
    pose.eval(), model.eval()
    # A frame twice gives what the classifier's encoder makes of it once.
    for one, pair in zip(pose(image), model.pose.encoder(torch.cat([image, image], dim=1))):
        assert torch.allclose(one, pair, atol=1e-4)


def test_missing_broken_and_foreign_files_are_named(recipe, tmp_path):
    hrnet, _ = publish(tmp_path, 'hrnet18')
    resnet, _ = publish(tmp_path, 'resnet18')
    broken = tmp_path / 'broken.pth'
    broken.write_bytes(hrnet.read_bytes()[:5000])
    for files, message in (
            ({}, r'weights of hrnet18 do not come .*imagenet\.hrnet18=FILE'),
            ({'hrnet18': str(hrnet)}, r'weights of resnet18 .*imagenet\.resnet18=FILE'),
            ({'hrnet18': str(tmp_path / 'none.pth')}, r'none\.pth'),
            ({'hrnet18': str(broken)}, r'broken\.pth is not a whole file'),
            ({'hrnet18': str(resnet)}, r'resnet18\.pth does not fit HRNetEncoder')):
        with pytest.raises(MdepthError, match=message) as error:
            start_model(dataclasses.replace(recipe, imagenet=files), seed=0)
        assert '\n' not in str(error.value)


def test_the_seed_alone_decides_on_new_layers(recipe, tmp_path):
    """However much was drawn before: a resumed run has drawn less."""
    torch.manual_seed(7)
    torch.save(EfficientNetLite0Encoder().state_dict(), tmp_path / 'lite.pth')
    recipe = dataclasses.replace(recipe, model='lite',
                                 imagenet={'efficientnet_lite0': str(tmp_path / 'lite.pth')})
    one = start_model(recipe, seed=3)
    torch.rand(5)
    assert same(one, start_model(recipe, seed=3))
    assert not same(one, start_model(recipe, seed=4))


def test_a_file_gives_its_profile_and_a_delta_of_the_training_size(recipe, tmp_path):
    start = tiny_start(tmp_path)
    data = dataclasses.replace(recipe.data, width=128, height=96)
    model = start_model(dataclasses.replace(recipe, start=str(start), data=data), seed=0)
    assert (model.config.profile, model.config.width, model.config.height) == ('lite', 128, 96)
    assert model.multi.delta.shape == (1, 1, 24, 32)
    assert same(model, load_checkpoint(start))
