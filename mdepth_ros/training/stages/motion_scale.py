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

"""Motions that were solved for at a depth's scale go with that scale."""

from mdepth_ros.geometry.projection import project, transform
from mdepth_ros.training.stages.track_error import lift_tracks
from mdepth_ros.training.stages.triplet import Motions
import torch
from torch import Tensor


def follow_scale(motions: Motions, depth: Tensor, K: Tensor, tracks: Tensor) -> Motions:
    """
    Give the translations the gradient of the depth whose scale they have.

    Ours. Values stay. The solver answers a depth that is twice as far by a translation that is
    twice as long, so no loss depends on the scale; but with motions that do not follow, its
    gradient says that it does, and training runs away along the scale, or bends what no image
    holds, such as the sky, to make up for it.

    :param motions: from the target to its sources, solved for at this depth.
    :param depth: (B, 1, H, W) of the target [m].
    :param K: (B, 3, 3) [px].
    :param tracks: (B, 2, N, 4) of :class:`SampleBatch`; the length follows the depth at these,
        at each as much as the translation moves it. Without any it stays.
    :return: the same motions.
    """
    return Motions(*(_follow(T, depth, K, track)
                     for T, track in zip(motions, tracks.unbind(dim=1))))


def _follow(T: Tensor, depth: Tensor, K: Tensor, track: Tensor) -> Tensor:
    """(B, 4, 4) motion and (B, N, 4) tracks to the motion."""
    found, points, _ = lift_tracks(depth, K, track)
    with torch.no_grad():
        turn = T.clone()
        turn[:, :3, 3] = 0
        (moved, in_front), (turned, _) = (project(transform(m, points), K) for m in (T, turn))
        parallax = (moved - turned).norm(dim=1, keepdim=True)
        weight = torch.where(found & in_front, parallax, 0.0)
    log_depth = (weight * points[:, 2:].log()).sum(dim=3) / weight.sum(dim=3).clamp(min=1e-6)
    factor = (log_depth - log_depth.detach()).exp()  # (B, 1, 1), 1
    return torch.cat([torch.cat([T[:, :3, :3], factor * T[:, :3, 3:]], dim=2), T[:, 3:]], dim=1)
