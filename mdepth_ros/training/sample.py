"""A batch of training samples: the target, the frame before it and the frame after it."""

from typing import NamedTuple

from torch import Tensor


class SampleBatch(NamedTuple):
    """
    What one step learns from. A tuple, so that it can be sent between processes and devices.

    ``frames`` (B, 3, 3, H, W) uint8 RGB: the source before, the target, the source after; the
    losses compare these. ``augmented`` is the same with other colours, what the networks see; the
    three frames of a sample share the change. ``K`` (B, 3, 3) float32 [px] at this size.
    """

    frames: Tensor
    augmented: Tensor
    K: Tensor
