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

"""Networks whose encoders begin with ImageNet's weights: what of them learns, and how fast."""

from typing import TypeVar

from mdepth_ros.networks.efficientnet import EfficientNetLite0Encoder
import torch
from torch import nn, Tensor

# Encoders know more than the rest, and learn more slowly.
ENCODER_RATE = 0.4
WEIGHT_DECAY = 1e-4

Net = TypeVar('Net', bound=nn.Module)


def optimiser_from_imagenet(net: nn.Module, rate: float) -> torch.optim.AdamW:
    """
    Make the optimiser of networks whose encoders have ImageNet's weights.

    :param net: what of it requires gradients learns; its encoders are those called ``encoder``.
    :param rate: learning rate of the other layers.
    """
    learning = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
    encoders, others = ([p for name, p in learning if ('encoder' in name.split('.')) == inside]
                        for inside in (True, False))
    return torch.optim.AdamW([{'params': encoders, 'lr': ENCODER_RATE * rate},
                              {'params': others, 'lr': rate}], weight_decay=WEIGHT_DECAY)


def keep_early_layers(encoder: EfficientNetLite0Encoder) -> None:
    """Leave ImageNet's edges and blobs as they are: half of the time goes into these layers."""
    for module in (encoder._conv_stem, encoder._bn0, *encoder._blocks[:3]):
        module.eval().requires_grad_(False)


def quick_to_train(net: Net) -> Net:
    """
    Lay a network out as CPUs train it fastest under :func:`quick_autocast`.

    Channels last; wide depthwise kernels stay in float32, which is 5 times faster than bfloat16.

    :param net: is changed.
    :return: the same.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1 and module.kernel_size[0] > 3:
            module.forward = _in_float32(module.forward)  # type: ignore[method-assign]
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def quick_autocast() -> torch.autocast:
    """Compute in bfloat16 where the CPU has it; where it is emulated float32 is 5 times faster."""
    return torch.autocast('cpu', torch.bfloat16,
                          enabled=torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _in_float32(forward):  # type: ignore[no-untyped-def]
    """Wrap a forward function."""
    def wrapped(x: Tensor) -> Tensor:
        with torch.autocast('cpu', enabled=False):
            return forward(x.float())
    return wrapped
