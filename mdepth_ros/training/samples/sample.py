"""A batch of training samples: the target, the frame before it and the frame after it."""

from typing import NamedTuple

from torch import Tensor


class SampleBatch(NamedTuple):
    """
    What one step learns from. A tuple, so that it can be sent between processes and devices.

    ``frames`` (B, 3, 3, H, W) uint8 RGB: the source before, the target, the source after; the
    losses compare these. ``augmented`` is the same with other colours, what the networks see; the
    three frames of a sample share the change. ``K`` (B, 3, 3) float32 [px] at this size.
    ``tracks`` (B, 2, N, 4) float32: for the source before and the one after, x and y of a point in
    the target and in that source [px]; NaN where fewer than N were found. None where
    nothing learns from them.
    """

    frames: Tensor
    augmented: Tensor
    K: Tensor
    tracks: Tensor | None = None
