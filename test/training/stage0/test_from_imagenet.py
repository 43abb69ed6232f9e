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

"""What learns of networks that begin with ImageNet's weights, and how they are laid out."""

from mdepth_ros.config import lite_config
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.stage0.from_imagenet import (
    keep_early_layers,
    optimiser_from_imagenet,
    quick_autocast,
    quick_to_train,
)
import pytest
import torch


def test_encoders_learn_slowly_and_frozen_layers_not_at_all():
    model = DepthModel(lite_config())
    keep_early_layers(model.single.encoder)
    slow, fast = optimiser_from_imagenet(model, rate=1e-3).param_groups
    frozen = set(model.single.encoder._conv_stem.parameters())
    encoders = {*model.single.encoder.parameters(), *model.pose.encoder.parameters()}
    assert (slow['lr'], fast['lr']) == pytest.approx((4e-4, 1e-3))
    assert set(slow['params']) < encoders
    assert set(slow['params']).isdisjoint(frozen)
    assert {*model.single.decoder.parameters(), *model.pose.decoder.parameters(),
            *model.multi.parameters()} == set(fast['params'])


def test_quick_layout_changes_types_and_strides_but_hardly_the_result():
    torch.manual_seed(0)
    net = DepthModel(lite_config()).single.eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        before = net(image).disparity
    assert quick_to_train(net) is net
    dtypes = {}
    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(
                lambda m, i, y: dtypes.setdefault((m.groups > 1, m.kernel_size[0]),
                                                  set()).add(y.dtype))
    with torch.no_grad():
        with torch.autocast('cpu', torch.bfloat16):
            net(image)
        assert dtypes.pop((True, 5)) == {torch.float32}
        assert set.union(*dtypes.values()) == {torch.bfloat16}
        torch.testing.assert_close(net(image).disparity, before, atol=1e-5, rtol=1e-4)
    kernel = net.encoder._conv_stem.weight
    assert kernel.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(('has', 'dtype'), [(True, torch.bfloat16), (False, torch.float32)])
def test_bfloat16_only_where_the_cpu_has_it(monkeypatch, has, dtype):
    monkeypatch.setattr(torch.ops.mkldnn, '_is_mkldnn_bf16_supported', lambda: has)
    with quick_autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype
