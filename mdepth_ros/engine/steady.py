"""Depth that does not jump when the source, the mode or the network's mood changes."""

import math

import torch
from torch import Tensor

from mdepth_ros.geometry.intrinsics import invert_intrinsics
from mdepth_ros.geometry.projection import backproject, inside, project, sample, transform

# How long a jump takes to come through [s]: to 63 % of it. A motion that is always a little too
# short looks like jumps all in one direction, and the longer they are remembered, the further the
# scale is off: at 2 s by 15 % in the mean, at 1 s by 10 %, and the steadiness is the same.
FORGETTING_S = 1.0
# Every so manieth pixel is compared, in both directions.
STRIDE = 8
FEWEST_PIXELS = 50


class SteadyDepth:
    """
    Takes the jumps out of the depth's overall scale, and gives way to them bit by bit.

    A frame's depth is brought into the frame before by the camera's motion and compared with that
    one's. What the motion does not explain is taken back at first, and exponentially forgotten,
    so that the scale stays the network's in the long run. Shape is left alone: one factor for all
    pixels.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the last frame."""
        self._last: Tensor | None = None
        self._log_factor = 0.0

    def __call__(
        self, depth: Tensor, K: Tensor, T_previous_target: Tensor | None, elapsed_s: float
    ) -> float:
        """
        Follow the depth, slowly where it jumps.

        :param depth: (1, 1, H, W) of the newest frame [m].
        :param K: (1, 3, 3) [px].
        :param T_previous_target: (1, 4, 4) motion from it to the frame before, at its scale; None
            where that is unknown: then any depth is right.
        :param elapsed_s: since the frame before [s].
        :return: factor for the depth and the motions that go with it.
        """
        if self._last is not None and T_previous_target is not None:
            self._log_factor -= float(_log_jump(depth, self._last, K, T_previous_target))
        self._log_factor *= math.exp(-elapsed_s / FORGETTING_S)
        self._last = depth
        return math.exp(self._log_factor)


def _log_jump(depth: Tensor, last: Tensor, K: Tensor, T: Tensor) -> Tensor:
    """Median log ratio of the depth to that of the frame before; 0 where too little is seen."""
    middle = slice(STRIDE // 2, None, STRIDE)
    coarse = K.clone()
    coarse[:, :2, 2] -= STRIDE // 2
    coarse[:, :2] /= STRIDE
    moved = transform(T, backproject(depth[..., middle, middle], invert_intrinsics(coarse)))
    seen, in_front = project(moved, K)
    usable = inside(seen, *last.shape[-2:]) & in_front
    if int(usable.sum()) < FEWEST_PIXELS:
        return torch.zeros((), device=depth.device)
    ratio = (moved[:, 2:] / sample(last, seen, 'border')).log()
    return ratio[usable].nanmedian()
