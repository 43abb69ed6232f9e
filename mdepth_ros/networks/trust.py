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

"""How far each depth can be trusted, and the blend of the two that follows from it."""

import math
from typing import NamedTuple

from mdepth_ros.networks.blocks import EnlargeBilinear
from mdepth_ros.networks.evidence import CHANNELS, Evidence
from mdepth_ros.networks.features import MATCHING_STRIDE
import torch
from torch import nn, Tensor
import torch.nn.functional as F

# A depth that is off by less is right, for the confidence.
TOLERANCE = math.log(1.25)
# Where the search moves the image by less than the first, matching tells nothing; from the second
# on it may tell everything [px of the matching resolution].
BLIND_PX, SEEING_PX = 0.25, 1.0
# The untrained blend follows the depth that explains the source better, even slightly.
GAIN = 10.0


class Trust(NamedTuple):
    """
    A tuple, so that exporters can take it apart.

    ``depth`` (B, 1, H, W) [m], between D_s and D_m; ``confidence`` (B, 1, H, W) in [0, 1], the
    probability that it is right within 25 %; ``log_spread`` (B, 1, h, w) of the Laplace
    distribution of its log error that says so; ``blend`` (B, 1, h, w) share of D_m in [0, 1].
    """

    depth: Tensor
    confidence: Tensor
    log_spread: Tensor
    blend: Tensor


class TrustNet(nn.Module):
    """
    Blend of D_s and D_m, and its confidence, from the evidence of the matching.

    It corrects a hand-made answer, which it gives before it is trained: the depth that explains
    the source better, where the search moves the image, and as confidence the probability mass
    around the best hypothesis times the agreement of the two networks.

    :param single_channels: of S-DepthNet's features, which know what it found difficult.
    """

    def __init__(self, single_channels: int) -> None:
        super().__init__()
        self.correct = Corrections(single_channels)
        self.enlarge = EnlargeBilinear(MATCHING_STRIDE, strided=True)

    def forward(
        self, evidence: Evidence, depth: Tensor, single_depth: Tensor, single_features: Tensor,
    ) -> Trust:
        """
        Weigh D_m against D_s.

        :param evidence: at 1/4 of the depths' size, or at theirs.
        :param depth: (B, 1, H, W) D_m [m].
        :param single_depth: (B, 1, H, W) D_s [m].
        :param single_features: (B, C, h, w) what S-DepthNet read it from.
        :return: the blend; exactly D_s where the search moves nothing.
        """
        correction = self.correct(evidence.features, single_features)
        blend = (correction[:, :1] + GAIN * evidence.gain).sigmoid() * _seeing(evidence.span)
        prior = evidence.prior.clamp(0.02, 0.98)
        log_spread = correction[:, 1:] + math.log(TOLERANCE) - (-(1 - prior).log()).log()
        confidence = 1 - (-TOLERANCE * (-log_spread).exp()).exp()
        share = blend
        if depth.shape != blend.shape:
            share, confidence = self.enlarge(blend), self.enlarge(confidence)
        # In logarithms: halfway between 1 m and 4 m is 2 m. A share of 0 gives exactly D_s.
        fused = single_depth * (share * (depth / single_depth).log()).exp()
        return Trust(fused, confidence, log_spread, blend)


class Corrections(nn.Module):
    """
    The layers of TrustNet.

    A wide view, at half the resolution and over the whole image, tells what kind of place it is.

    :param single_channels: of S-DepthNet's features.
    """

    def __init__(self, single_channels: int) -> None:
        super().__init__()
        width = 24  # channels inside
        self.single = nn.Sequential(nn.Conv2d(single_channels, width, 1), nn.ReLU())
        self.near = _convolution(CHANNELS + width, width)
        self.wide = nn.Sequential(
            nn.AvgPool2d(2, ceil_mode=True), *(_convolution(width, width, d) for d in (1, 2, 4)))
        self.whole = nn.Linear(width, width)
        self.both = nn.Sequential(nn.Conv2d(2 * width, width, 1), nn.ReLU())
        self.last = nn.Conv2d(width, 2, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, features: Tensor, single_features: Tensor) -> Tensor:
        """
        Correct the blend and the spread.

        :param features: (B, C, h, w) of the evidence.
        :param single_features: (B, C', h, w) of S-DepthNet.
        :return: (B, 2, h, w) what to add to the blend's logit, and to the spread's logarithm.
        """
        near = self.near(torch.cat([features, self.single(single_features)], dim=1))
        wide = self.wide(near)
        wide = wide + self.whole(wide.mean(dim=(2, 3)))[:, :, None, None]
        wide = F.interpolate(wide, near.shape[-2:], mode='bilinear', align_corners=False)
        corrected: Tensor = self.last(self.both(torch.cat([near, wide], dim=1)))
        return corrected


def _convolution(inputs: int, outputs: int, dilation: int = 1) -> nn.Sequential:
    """3 x 3, same size."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation),
                         nn.ReLU())


def _seeing(span: Tensor) -> Tensor:
    """Smooth step from 0 to 1."""
    x = ((span - BLIND_PX) / (SEEING_PX - BLIND_PX)).clamp(0, 1)
    return x * x * (3 - 2 * x)
