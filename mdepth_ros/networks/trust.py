"""How far each depth can be trusted, and the blend of the two that follows from it."""

import math
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from mdepth_ros.networks.evidence import CHANNELS, Evidence

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

    :param width: channels inside.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        last = nn.Conv2d(width, 2, 1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(nn.Conv2d(CHANNELS, width, 3, padding=1), nn.ReLU(),
                                    nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), last)

    def forward(self, evidence: Evidence, depth: Tensor, single_depth: Tensor) -> Trust:
        """
        Weigh D_m against D_s.

        :param evidence: at 1/4 of the depths' size.
        :param depth: (B, 1, H, W) D_m [m].
        :param single_depth: (B, 1, H, W) D_s [m].
        :return: the blend; exactly D_s where the search moves nothing.
        """
        correction = self.layers(evidence.features)
        blend = (correction[:, :1] + GAIN * evidence.gain).sigmoid() * _seeing(evidence.span)
        prior = evidence.prior.clamp(0.02, 0.98)
        log_spread = correction[:, 1:] + math.log(TOLERANCE) - (-(1 - prior).log()).log()
        confidence = 1 - (-TOLERANCE * (-log_spread).exp()).exp()
        # In logarithms: halfway between 1 m and 4 m is 2 m. A share of 0 gives exactly D_s.
        fused = single_depth * (depth / single_depth) ** _enlarge(blend, depth)
        return Trust(fused, _enlarge(confidence, depth), log_spread, blend)


def _seeing(span: Tensor) -> Tensor:
    """Smooth step from 0 to 1."""
    x = ((span - BLIND_PX) / (SEEING_PX - BLIND_PX)).clamp(0, 1)
    return x * x * (3 - 2 * x)


def _enlarge(x: Tensor, like: Tensor) -> Tensor:
    """To full resolution."""
    return F.interpolate(x, like.shape[-2:], mode='bilinear', align_corners=False)
