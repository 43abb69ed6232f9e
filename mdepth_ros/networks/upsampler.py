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

"""Convex upsampling: every fine pixel is a learned average of nine coarse ones."""

from mdepth_ros.config import Padding
from mdepth_ros.geometry.shapes import require_shape
from mdepth_ros.networks.features import MATCHING_STRIDE
import torch
from torch import nn, Tensor
import torch.nn.functional as F


class ConvexUpsampler(nn.Module):
    """
    Predict the averages' weights from the context features.

    :param context_channels: of the context features.
    :param padding: what lies outside the coarse map. ``zeros`` is the published choice, and pulls
        the border towards depth 0; ``replicate`` does not.
    """

    def __init__(self, context_channels: int, padding: Padding) -> None:
        super().__init__()
        self.padding = padding
        self.upsample_mask = nn.Sequential(
            nn.Conv2d(context_channels, 64, 3, padding=1, bias=False),
            nn.ReLU(),
            nn.Conv2d(64, MATCHING_STRIDE * MATCHING_STRIDE * 9, 1, bias=False),
        )

    def forward(self, depth: Tensor, context: Tensor) -> Tensor:
        """
        Enlarge four times.

        :param depth: (B, 1, h, w) coarse depth [m].
        :param context: (B, C, h, w) features of the same frame.
        :return: (B, 1, 4 h, 4 w) depth [m].
        :raises ValueError: if a shape differs from the ones above.
        """
        require_shape('depth', depth, ('B', 1, 'h', 'w'))
        B, _, h, w = depth.shape
        require_shape('context', context, (B, 'C', h, w))
        weights = self.upsample_mask(context).view(B, 9, MATCHING_STRIDE ** 2, h, w).softmax(dim=1)
        return convex_upsample(depth, weights, self.padding)


def convex_upsample(depth: Tensor, weights: Tensor, padding: Padding) -> Tensor:
    """
    Average the nine neighbours of each coarse pixel with 16 sets of weights.

    :param depth: (B, 1, h, w) coarse depth [m].
    :param weights: (B, 9, 16, h, w) neighbours row by row, then the fine pixels row by row.
    :param padding: ``zeros`` or ``replicate``, what lies outside.
    :return: (B, 1, 4 h, 4 w) depth [m].
    """
    h, w = depth.shape[2:]
    mode = 'constant' if padding == 'zeros' else 'replicate'
    padded = F.pad(depth, (1, 1, 1, 1), mode=mode)
    # Nine slices instead of unfold, which exports to gathers.
    neighbours = torch.stack(
        [padded[:, :, y:y + h, x:x + w] for y in range(3) for x in range(3)], dim=1
    )  # (B, 9, 1, h, w)
    fine = (weights * neighbours).sum(dim=1)  # (B, 16, h, w)
    return F.pixel_shuffle(fine, MATCHING_STRIDE)
