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

"""Convolutions in half the bits: coordinates, depths and what is blended stay as they are."""

from collections.abc import Collection
from copy import deepcopy
from itertools import pairwise
from typing import Any

from mdepth_ros.networks.depth_model import DepthModel
import torch
from torch import nn, Tensor
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvTransposeNd
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batch_norms(net: nn.Module) -> nn.Module:
    """
    Fold batch norms into the convolutions before them, so that only their product is rounded.

    :param net: in eval mode; every batch norm is made right after its convolution. Is changed.
    :return: the network.
    """
    leaves = [(name, module) for name, module in net.named_modules()
              if not any(module.children())]
    for (conv_name, conv), (norm_name, norm) in pairwise(leaves):
        if isinstance(norm, _BatchNorm):
            transposed = isinstance(conv, _ConvTransposeNd)
            net.set_submodule(conv_name, fuse_conv_bn_eval(conv, norm, transposed))
            net.set_submodule(norm_name, nn.Identity())
    return net


class LowPrecision(nn.Module):
    """
    A network that computes in another type than its caller, who gets float32 back.

    :param net: takes tensors and returns one, or a named tuple of them; its weights are converted.
    :param dtype: bfloat16 or float16.
    :param planar: names of (B, C, h, w) outputs that are read channel by channel.
    """

    def __init__(self, net: nn.Module, dtype: torch.dtype, planar: Collection[str] = ()) -> None:
        super().__init__()
        self.net, self.dtype, self.planar = fold_batch_norms(net).to(dtype), dtype, planar

    def forward(self, *inputs: Tensor) -> Any:
        """Call the network."""
        outputs = self.net(*(x.to(self.dtype) for x in inputs))
        if isinstance(outputs, Tensor):
            return outputs.float()
        return outputs._make(_float_planes(x) if name in self.planar else x.float()
                             for name, x in outputs._asdict().items())


def _float_planes(x: Tensor) -> Tensor:
    """Cast (B, C, h, w); by the flattening compilers rearrange it before, when it is smaller."""
    return x.flatten(2).float().reshape(x.shape)


def lower_precision(model: DepthModel, dtype: torch.dtype) -> DepthModel:
    """
    Copy a model, with its convolutions in lower precision.

    In bfloat16 a coordinate of 100 px is off by half a pixel, and a depth by 0.4 %: what computes
    these stays in float32, and PoseNet, whose motion moves every coordinate.

    :param model: in eval mode.
    :param dtype: of the convolutions; float32 gives the model itself.
    :return: a model for inference.
    """
    if dtype == torch.float32:
        return model
    model = deepcopy(model)
    convolutions: list[tuple[nn.Module, str]] = [(model, 'single'), (model.trust, 'correct')]
    if model.config.multi_frame:
        convolutions += [(model.multi, 'feature_net'), (model.multi, 'regulariser'),
                         (model.multi.upsampler, 'upsample_mask')]
    for parent, name in convolutions:
        setattr(parent, name, LowPrecision(getattr(parent, name), dtype, planar=('matching',)))
    return model
