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

"""What the first weights know is kept where images tell nothing, or something wrong."""

import copy

from mdepth_ros.engine.tracked_motion import agreeing_tracks
from mdepth_ros.networks.canonical import to_depth
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.ranks.reduction import mean_over_ranks
import torch
from torch import nn, Tensor


class StartDepth(nn.Module):
    """
    The single-frame depth of the weights that training started from.

    :param model: its S-DepthNet is copied as it is now, and never learns.
    """

    def __init__(self, model: DepthModel) -> None:
        super().__init__()
        self.single, self.config = copy.deepcopy(model.single), model.config

    @torch.no_grad()
    def forward(self, image: Tensor, K: Tensor) -> Tensor:
        """
        Predict.

        :param image: (B, 3, H, W) in [0, 1].
        :param K: (B, 3, 3) [px].
        :return: (B, 1, H, W) [m].
        """
        return to_depth(self.single(image).disparity.float(), self.config, K)


def departure(depth: Tensor, start: Tensor) -> Tensor:
    """
    How far depth is from where it started: mean of abs(log depth - log start).

    Ours, for fine-tuning. Any depth explains a cloudless sky, and any scale everything: what is
    lost there by chance, or to make up for another place, no image brings back. The slope is the
    same at any distance, so that images win where they agree on another depth, and noise does not.

    :param depth: (B, 1, H, W) [m].
    :param start: (B, 1, H, W) [m].
    :return: scalar.
    """
    return mean_over_ranks((depth / start).log().abs().mean())


def credible_tracks(tracks: Tensor, start: Tensor, K: Tensor) -> Tensor:
    """
    Leave out points that were followed wrongly, or that move: those that no motion explains.

    On asphalt, where one spot looks like the next, points are found where they were, and in the
    near half of a road these are most: depth that learned from them would go to far.

    :param tracks: (B, 2, N, 4) of :class:`SampleBatch`.
    :param start: (B, 1, H, W) depth of the target, right within a factor of 1.8 [m].
    :param K: (B, 3, 3) [px].
    :return: the same tracks, NaN where they are not credible.
    """
    agreeing = torch.stack([agreeing_tracks(track, start, K) for track in tracks.unbind(1)], dim=1)
    return torch.where(agreeing.unsqueeze(3), tracks, torch.nan)
