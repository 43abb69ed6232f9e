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

from mdepth_ros.config import lite_config, paper_config
from mdepth_ros.geometry.pose import motion_from_parameters
from mdepth_ros.networks.pose import PoseDecoder, PoseNet
import pytest
import torch

CONFIGS = {'paper': paper_config(), 'lite': lite_config()}


@pytest.fixture(params=CONFIGS)
def net(request):
    torch.manual_seed(0)
    return PoseNet(CONFIGS[request.param])


@torch.no_grad()
def test_motion_is_built_from_the_parameters(net):
    earlier, later = torch.rand(2, 2, 3, 64, 96)
    axis_angle, translation = net.eval()(earlier, later)
    assert axis_angle.shape == translation.shape == (2, 3)
    torch.testing.assert_close(net.motion(earlier, later),
                               motion_from_parameters(axis_angle, translation))


@torch.no_grad()
def test_starts_near_no_motion(net):
    axis_angle, translation = net(*torch.rand(2, 2, 3, 64, 96))
    assert float(torch.cat([axis_angle, translation]).abs().max()) < 0.02


@torch.no_grad()
def test_order_of_the_frames_matters(net):
    earlier, later = torch.rand(2, 1, 3, 64, 64)
    assert not torch.equal(net.eval()(earlier, later)[1], net(later, earlier)[1])


def test_gradient_reaches_every_parameter(net):
    axis_angle, translation = net(*torch.rand(2, 2, 3, 64, 64))
    (axis_angle.sum() + (translation ** 2).sum()).backward()
    assert [n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_refuses_unlike_frames(net):
    with pytest.raises(ValueError, match=r'earlier must be \(B, 3, H, W\), got \(3, 64, 64\)'):
        net(torch.rand(3, 64, 64), torch.rand(3, 64, 64))
    with pytest.raises(ValueError, match=r'later must be \(1, 3, 64, 64\) like earlier, got'):
        net(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 96))


@torch.no_grad()
def test_decoder_averages_over_the_map():
    decoder = PoseDecoder(8, hidden=4)
    torch.nn.init.zeros_(decoder.net[3].weight)
    torch.nn.init.constant_(decoder.net[3].bias, 2.0)
    assert torch.allclose(decoder(torch.rand(1, 8, 2, 3)), torch.full((1, 2, 6), 0.02))
