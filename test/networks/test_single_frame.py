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

"""Large images are seen reduced, and answered at their own size."""

from dataclasses import replace

from mdepth_ros.config import lite_config, paper_config
from mdepth_ros.networks.single_frame import SingleFrameNet
import pytest
import torch
import torch.nn.functional as F


@pytest.fixture(scope='module')
def nets():
    torch.manual_seed(0)
    reducing = SingleFrameNet(replace(lite_config(), single_side=64)).eval()
    plain = SingleFrameNet(replace(lite_config(), single_side=0)).eval()
    plain.load_state_dict(reducing.state_dict())
    return reducing, plain


@pytest.mark.parametrize(('size', 'seen_at'), [
    ((96, 192), (64, 128)),
    ((96, 160), (64, 128)),  # 107 wide, rounded up to whole strides
    ((160, 96), (128, 64)),  # a camera on its side
])
@torch.inference_mode()
def test_a_large_image_is_seen_reduced(nets, size, seen_at):
    reducing, plain = nets
    image = torch.rand(1, 3, *size)
    answer = reducing(image)
    disparity, features = plain(F.interpolate(image, seen_at, mode='bilinear'))
    quarter = size[0] // 4, size[1] // 4
    torch.testing.assert_close(answer.disparity, F.interpolate(disparity, size, mode='bilinear'),
                               atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(answer.features, F.interpolate(features, quarter, mode='bilinear'),
                               atol=1e-4, rtol=1e-3)
    assert torch.equal(reducing.scales(image)[0], answer.disparity)


@torch.inference_mode()
def test_a_small_image_is_seen_as_it_is(nets):
    reducing, plain = nets
    image = torch.rand(1, 3, 64, 128)
    assert torch.equal(reducing(image).disparity, plain(image).disparity)


def test_sizes_that_are_no_multiple_are_refused_before_they_are_reduced(nets):
    with pytest.raises(ValueError, match='multiples of 32'):
        nets[0](torch.rand(1, 3, 100, 200))


def test_the_published_networks_see_every_pixel():
    assert paper_config().single_side == 0


@pytest.mark.parametrize('side', [-32, 100, 1.5])
def test_an_unusable_side_is_refused(side):
    with pytest.raises(ValueError, match='single_side'):
        replace(lite_config(), single_side=side)
