"""How far to trust a pixel of the multi-frame depth."""

import torch
import torch.nn.functional as F
from torch import Tensor

# Without a second frame nothing was checked: neither trusted nor refused.
SINGLE_FRAME_CONFIDENCE = 0.5


def matching_confidence(window_mass: Tensor, depth: Tensor, single_depth: Tensor) -> Tensor:
    """
    Probability mass around the chosen hypothesis, times the agreement of the two networks.

    :param window_mass: (B, 1, h, w) probability within the read-out's window, in [0, 1].
    :param depth: (B, 1, H, W) multi-frame depth [m].
    :param single_depth: (B, 1, H, W) single-frame depth [m].
    :return: (B, 1, H, W) confidence in [0, 1].
    :raises ValueError: if depth and single_depth differ in shape.
    """
    if depth.shape != single_depth.shape:
        raise ValueError(f'single_depth must be {tuple(depth.shape)} like depth, '
                         f'got {tuple(single_depth.shape)}')
    mass = F.interpolate(window_mass, depth.shape[-2:], mode='bilinear', align_corners=False)
    agreement = torch.minimum(depth / single_depth, single_depth / depth)
    return (mass * agreement).clamp(0.0, 1.0)
