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

"""The shape of the depth, averaged over the frames that saw the same points."""

from mdepth_ros.engine.comparison import at_every_nth, compare, every_nth
from mdepth_ros.geometry.projection import sample
import torch
from torch import Tensor
import torch.nn.functional as F

# Every so manieth pixel is compared, in both directions; between them the correction is smooth.
STRIDE = 4
# What is left of the information of the frame before: errors of frames that see the same are not
# independent, and motion is not exact.
KEPT = 0.8
# A point whose depth changes by more than about this [logarithm] is another one, or moves.
SAME_POINT = 0.25
# Confidences beyond these are no more, or no less, information.
LEAST, MOST = 0.05, 0.95


class DepthFilter:
    """
    An information filter of the logarithm of depth, for every pixel, carried along by the motion.

    A matched depth errs in every frame a little differently. Its information is the inverse
    square of the spread that the confidence stands for. The overall scale is left alone: that is
    what :class:`~mdepth_ros.engine.steady.SteadyDepth` follows.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the last frame."""
        self._last: Tensor | None = None
        self._information: Tensor | None = None

    def __call__(
        self, depth: Tensor, confidence: Tensor, K: Tensor, T_previous_target: Tensor | None
    ) -> Tensor:
        """
        Average with what was known before.

        :param depth: (1, 1, H, W) of the newest frame [m].
        :param confidence: (1, 1, H, W) of it in [0, 1].
        :param K: (1, 3, 3) [px].
        :param T_previous_target: (1, 4, 4) motion from it to the frame before, at its scale; None
            to start anew with this frame.
        :return: (1, 1, H, W) depth at the same scale [m].
        """
        information = _information(every_nth(confidence, STRIDE))
        if self._last is not None and self._information is not None and (
                T_previous_target is not None):
            known = compare(depth, self._last, K, T_previous_target, STRIDE)
            change = known.log_ratio - known.log_ratio[known.seen].median()
            same = torch.where(known.seen, (-(change / SAME_POINT) ** 2).exp(), 0.0)
            before = KEPT * same * sample(
                self._information, at_every_nth(known.pixels, STRIDE), 'border')
            information = information + before
            correction = torch.where(known.seen, -change * before / information, 0.0)
            depth = depth * F.interpolate(
                correction, scale_factor=STRIDE, mode='bilinear', align_corners=False).exp()
        self._last, self._information = depth, information
        return depth


def _information(confidence: Tensor) -> Tensor:
    """Inverse square of the spread, but for a constant, see :class:`Trust`."""
    return (1 - confidence.clamp(LEAST, MOST)).log() ** 2
