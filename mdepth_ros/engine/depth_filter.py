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

from mdepth_ros.engine.comparison import at_every_nth, between, compare, every_nth
from mdepth_ros.geometry.projection import sample
import torch
from torch import Tensor

# Every so manieth pixel of every so manieth row is compared.
STRIDE = 4
# What is left of the information of the frame before: errors of frames that see the same are not
# independent, and motion is not exact.
KEPT = 0.9
# A point whose depth changes by more than about this [logarithm] is another one, or moves.
SAME_POINT = 0.25
# Confidences beyond these are no more, or no less, information.
LEAST, MOST = 0.05, 0.95


class DepthFilter:
    """
    An information filter of the logarithm of depth, carried along by the camera's motion.

    A matched depth errs in every frame a little differently. Its information is the inverse
    square of the spread that the confidence stands for. The overall scale is left alone: that is
    what :class:`~mdepth_ros.engine.steady.SteadyDepth` follows. What moves slowly by itself lags:
    a thing that comes nearer by 5 % per frame is given up to 10 % too far.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the last frame."""
        self._known: tuple[Tensor, Tensor] | None = None

    def __call__(
        self, depth: Tensor, confidence: Tensor, K: Tensor, T_previous_target: Tensor | None
    ) -> Tensor:
        """
        Average with what was known before.

        :param depth: (1, 1, H, W) of the newest frame [network units].
        :param confidence: (1, 1, H, W) of it in [0, 1].
        :param K: (1, 3, 3) [px].
        :param T_previous_target: (1, 4, 4) motion from it to the frame before, at its scale; None
            to start anew with this frame.
        :return: (1, 1, H, W) depth at the same scale.
        """
        information = _information(every_nth(confidence, STRIDE))
        if self._known is not None and T_previous_target is not None:
            last, before = self._known
            compared = compare(depth, last, K, T_previous_target, STRIDE)
            change = compared.log_ratio - compared.log_ratio[compared.seen].median()
            same = (-(change / SAME_POINT) ** 2).exp()
            before = sample(before, at_every_nth(compared.pixels, STRIDE), 'border')
            before = torch.where(compared.seen, KEPT * same * before, 0.0)
            information = information + before
            correction = torch.where(compared.seen, -change * before / information, 0.0)
            depth = depth * between(correction.exp(), STRIDE, *depth.shape[-2:])
        self._known = depth, information
        return depth


def _information(confidence: Tensor) -> Tensor:
    """Return the inverse square of the spread, but for a constant, see :class:`Trust`."""
    return (1 - confidence.nan_to_num().clamp(LEAST, MOST)).log() ** 2
