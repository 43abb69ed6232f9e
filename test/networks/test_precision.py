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

"""Networks with half the bits."""

from mdepth_ros.config import lite_config, ModelConfig, paper_config
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.networks.precision import fold_batch_norms, lower_precision
import pytest
import torch

UNET = ModelConfig('monodepth2', 'resnet18', 'unet', 'resnet18', 'unet3d', 'zeros')


def settled(config):
    """Networks whose batch norms have seen data."""
    torch.manual_seed(0)
    model = DepthModel(config)
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return model.eval()


@pytest.mark.parametrize('config', [lite_config(), paper_config(), UNET], ids=lambda c: c.profile)
@torch.no_grad()
def test_folding_changes_nothing(config):
    model = settled(config)
    image = torch.rand(1, 3, 64, 96)
    volume = torch.rand(1, 16, 16, 16, 24)
    for net, inputs in ((model.single, (image,)), (model.pose, (image, image.flip(-1))),
                        (model.multi.feature_net, (image,)), (model.multi.regulariser, (volume,))):
        before = net(*inputs)
        after = fold_batch_norms(net)(*inputs)
        for one, other in zip(before, after):
            torch.testing.assert_close(other, one, atol=1e-4, rtol=1e-4)
        assert not any('BatchNorm' in type(it).__name__ for it in net.modules())


@torch.no_grad()
def test_the_model_itself_stays_as_it_was():
    model = settled(lite_config())
    before = {key: value.clone() for key, value in model.state_dict().items()}
    lower = lower_precision(model, torch.bfloat16)
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(value, before[key]) for key, value in after.items())
    image = torch.rand(1, 3, 64, 96)
    answer = lower.single(image)
    assert answer.disparity.dtype == answer.features.dtype == torch.float32
    assert float((answer.disparity / model.single(image).disparity).log().abs().mean()) < 0.02
    assert lower_precision(model, torch.float32) is model
