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

from mdepth_ros.config import lite_config, ModelConfig, paper_config
from mdepth_ros.geometry.depth import disparity_to_depth
from mdepth_ros.networks.light_decoder import LightDecoder
from mdepth_ros.networks.public_weights import load_imagenet_efficientnet_lite0
from mdepth_ros.networks.single_frame import SingleFrameNet
import pytest
import torch

CONFIGS = {
    'paper': paper_config(),
    'lite': lite_config(),
    'unet': ModelConfig('monodepth2', 'resnet18', 'unet', 'resnet18', 'unet3d', 'zeros'),
}


@pytest.mark.parametrize('name', CONFIGS)
@torch.no_grad()
def test_disparity_has_the_images_size_and_range(name):
    net = SingleFrameNet(CONFIGS[name]).eval()
    disparity, features = net(torch.rand(2, 3, 64, 96))
    assert disparity.shape == (2, 1, 64, 96)
    assert features.shape == (2, net.feature_channels, 16, 24)
    assert 0 < float(disparity.min()) <= float(disparity.max()) < 1


@pytest.mark.parametrize(('name', 'count'), [('paper', 1), ('lite', 1), ('unet', 4)])
@torch.no_grad()
def test_scales_are_finest_first(name, count):
    net = SingleFrameNet(CONFIGS[name]).eval()
    image = torch.rand(1, 3, 64, 96)
    scales = net.scales(image)
    assert [tuple(d.shape) for d in scales] == [(1, 1, 64 >> i, 96 >> i) for i in range(count)]
    torch.testing.assert_close(scales[0], net(image).disparity)


@pytest.mark.parametrize('name', CONFIGS)
@torch.no_grad()
def test_disparity_is_not_rounded_under_autocast(name):
    net = SingleFrameNet(CONFIGS[name]).eval()
    with torch.autocast('cpu', torch.bfloat16):
        scales = net.scales(torch.rand(1, 3, 64, 96))
    assert {disparity.dtype for disparity in scales} == {torch.float32}
    assert not torch.equal(scales[-1], scales[-1].bfloat16().float())


@pytest.mark.parametrize('name', CONFIGS)
def test_gradient_reaches_every_parameter(name):
    net = SingleFrameNet(CONFIGS[name])
    sum((d * torch.rand_like(d)).sum() for d in net.scales(torch.rand(2, 3, 64, 64))).backward()
    assert [n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_light_decoder_is_light():
    decoder = LightDecoder((16, 24, 40, 112, 320))
    assert sum(p.numel() for p in decoder.parameters()) < 500_000


@torch.no_grad()
def test_light_decoder_starts_at_a_robots_distance():
    torch.manual_seed(0)
    net = SingleFrameNet(lite_config())
    load_imagenet_efficientnet_lite0(net.encoder)
    depth = disparity_to_depth(net(torch.rand(2, 3, 64, 96)).disparity, 0.1, 100.0)
    assert 3.0 < float(depth.median()) < 8.0
    assert float(depth.min()) > 1.0
    assert float(depth.max()) < 25.0


@torch.no_grad()
def test_light_decoder_draws_no_border():
    """Constant features must give a disparity without a trace of the image's edge."""
    torch.manual_seed(0)
    decoder = LightDecoder((16, 24, 40, 112, 320)).eval()
    features = [torch.rand(1, c, 1, 1).expand(1, c, 64 // s, 96 // s)
                for c, s in zip((16, 24, 40, 112, 320), (2, 4, 8, 16, 32))]
    disparity, _ = decoder(features)
    # Each of the four fine pixels has its own offset, the same one everywhere.
    cells = disparity.view(32, 2, 48, 2).transpose(1, 2)
    torch.testing.assert_close(cells, cells[:1, :1].expand_as(cells))
