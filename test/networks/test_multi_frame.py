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
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.networks.multi_frame import MultiFrameNet
from mdepth_ros.networks.regulariser import UNet2d, UNet3d
import pytest
import torch

CONFIGS = {'paper': paper_config(), 'lite': lite_config()}
H, W = 64, 96


@pytest.fixture(params=CONFIGS)
def config(request):
    torch.manual_seed(0)
    return ModelConfig.from_dict(CONFIGS[request.param].to_dict() | {'height': H, 'width': W})


def inputs(net, B=2, S=1, height=H, width=W):
    """Random frames, a wall at about 5 m, a step of half a metre."""
    target = net.features(torch.rand(B, 3, height, width))
    sources = torch.stack([net.features(torch.rand(B, 3, height, width)).matching
                           for _ in range(S)], dim=1)
    T = torch.eye(4).repeat(B, S, 1, 1)
    T[..., 2, 3] = 0.5
    K = torch.tensor([[14.0, 0.0, width / 8], [0.0, 14.0, height / 8], [0.0, 0.0, 1.0]])
    return {'target': target, 'source_matching': sources, 'K': K.expand(B, 3, 3),
            'single_depth': 4 + 2 * torch.rand(B, 1, height, width), 'T_source_target': T}


@pytest.mark.parametrize('S', [1, 2])
@torch.no_grad()
def test_answers_at_both_resolutions(config, S):
    net = MultiFrameNet(config).eval()
    out = net(**inputs(net, S=S))
    assert out.depth.shape == (2, 1, H, W)
    assert out.depth_quarter.shape == out.window_mass.shape == (2, 1, H // 4, W // 4)
    assert out.probabilities.shape == out.hypotheses.shape == (2, 16, H // 4, W // 4)
    torch.testing.assert_close(out.probabilities.sum(dim=1), torch.ones(2, H // 4, W // 4))


@torch.no_grad()
def test_no_width_gives_the_single_frame_depth(config):
    net = MultiFrameNet(config).eval()
    net.delta.zero_()
    given = inputs(net)
    torch.testing.assert_close(net(**given).depth_quarter, given['single_depth'][..., ::4, ::4])


@torch.no_grad()
def test_delta_has_the_training_size_and_follows_the_running_one(config):
    net = MultiFrameNet(config).eval()
    assert net.delta.shape == (1, 1, H // 4, W // 4)
    assert bool((net.delta == 1).all())
    net.delta.fill_(0.25)
    given = inputs(net, height=32, width=64)
    hypotheses = net(**given).hypotheses
    torch.testing.assert_close(hypotheses[:, :1], 1.25 * given['single_depth'][..., ::4, ::4])
    assert 'delta' in net.state_dict()


def test_gradient_reaches_every_parameter_but_not_the_single_depth(config):
    net = MultiFrameNet(config)
    given = inputs(net)
    given['single_depth'].requires_grad_()
    net(**given).depth.square().sum().backward()
    assert [n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []
    assert given['single_depth'].grad is None


def test_refuses_a_depth_of_another_size(config):
    net = MultiFrameNet(config)
    given = inputs(net) | {'single_depth': torch.ones(2, 1, H // 4, W // 4)}
    with pytest.raises(ValueError, match=r'single_depth must be \(2, 1, 64, 96\), got'):
        net(**given)


@pytest.mark.parametrize('regulariser', [UNet3d(4), UNet2d(4, 8)])
@torch.no_grad()
def test_regularisers_share_an_interface(regulariser):
    assert regulariser.eval()(torch.rand(2, 4, 8, 16, 24)).shape == (2, 8, 16, 24)
    with pytest.raises(ValueError, match=r'volume must be \(B, 4, \w+, h, w\), got \(2, 3, 8'):
        regulariser(torch.rand(2, 3, 8, 16, 24))
    with pytest.raises(ValueError, match=r'multiples of 8, got \(2, 4, 8, 16, 20\)'):
        regulariser(torch.rand(2, 4, 8, 16, 20))


@pytest.mark.parametrize(('profile', 'limit'), [('paper', 24e6), ('lite', 9e6)])
def test_models_stay_within_their_size(profile, limit):
    model = DepthModel(CONFIGS[profile])
    assert model.config is CONFIGS[profile]
    assert {name for name, _ in model.named_children()} == {
        'single', 'pose', 'multi', 'trust'}
    assert sum(p.numel() for p in model.parameters()) < limit


@torch.no_grad()
def test_lite_starts_from_the_best_match():
    """With the correction silenced, the most alike hypothesis wins."""
    regulariser = UNet2d(4, 8).eval()
    torch.nn.init.zeros_(regulariser.correction.weight)
    torch.nn.init.zeros_(regulariser.correction.bias)
    volume = torch.rand(1, 4, 8, 8, 8)
    assert torch.equal(regulariser(volume).argmax(dim=1), volume.sum(dim=1).argmax(dim=1))


def test_a_feature_lies_on_every_fourth_pixel():
    # The gradient of one feature back to the image is centred on the pixel that it stands for.
    torch.manual_seed(0)
    net = MultiFrameNet(lite_config()).eval()
    image = torch.rand(1, 3, 64, 96, requires_grad=True)
    net.features(image).context[0, :, 9, 11].sum().backward()
    weight = image.grad.abs().sum(dim=(0, 1))
    y, x = weight.nonzero(as_tuple=True)
    assert ((x.min() + x.max()) / 2, (y.min() + y.max()) / 2) == (4 * 11, 4 * 9)
