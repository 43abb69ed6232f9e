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

"""Points that were followed between the frames: they say where to when images cannot yet."""

from mdepth_ros.geometry.intrinsics import invert_intrinsics
from mdepth_ros.geometry.product import exact_product
from mdepth_ros.geometry.projection import project, sample, transform
from mdepth_ros.training.losses import masked_mean
from mdepth_ros.training.stages.triplet import Motions
import torch
from torch import Tensor

# Against the photometric error: 1 % of the width weighs as much as a third of a usual error.
TRACK_WEIGHT = 6.0
# Farther off than this share of the image's width a track is wrong, or the motion hopeless.
WORST = 0.3
# Distances below this share of the width count squared: corners are found to about 0.1 px.
ROUND = 1e-3


def track_error(depth: Tensor, K: Tensor, motions: Motions, tracks: Tensor) -> Tensor:
    """
    How far depth and motion put the target's points from where they were found in the sources.

    Ours. The photometric error only points the right way within a pixel or two of the truth; a
    camera in the hand turns by ten times that between two frames, and a PoseNet that never saw
    such motion does not learn it from images alone: the depth bends to the wrong motion instead.
    Points followed from corner to corner reach that far. They are no labels: they come from the
    same images.

    :param depth: (B, 1, H, W) of the target [m].
    :param K: (B, 3, 3) [px].
    :param motions: from the target to its sources.
    :param tracks: (B, 2, N, 4) for each source x, y in the target and x, y in the source [px]; NaN
        where there are fewer than N.
    :return: scalar, mean distance as a share of the image's width.
    """
    W = depth.shape[-1]
    errors, known = [], []
    for T, track in zip(motions, tracks.unbind(dim=1)):
        found, points, end = lift_tracks(depth, K, track)
        pixels, in_front = project(transform(T, points), K)
        distance = ((((pixels - end) / W) ** 2).sum(dim=1, keepdim=True) + ROUND ** 2).sqrt()
        errors.append((distance - ROUND).clamp(max=WORST))
        known.append(found & in_front)
    return masked_mean(torch.cat(errors), torch.cat(known))


def lift_tracks(depth: Tensor, K: Tensor, track: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """
    Lift the target's ends of tracks to points.

    :param depth: (B, 1, H, W) of the target [m].
    :param K: (B, 3, 3) [px].
    :param track: (B, N, 4) x, y in the target and x, y in the source [px]; NaN where there are
        fewer than N.
    :return: (B, 1, 1, N) bool, which there are; (B, 3, 1, N) points in the target [m]; and
        (B, 2, 1, N) where they are in the source [px]. The last two mean nothing elsewhere.
    """
    found = ~track.isnan().any(dim=2)  # (B, N)
    place = torch.where(found.unsqueeze(2), track, 0.0).transpose(1, 2).unsqueeze(2)
    start, end = place[:, :2], place[:, 2:]
    pixels = torch.cat([start, torch.ones_like(start[:, :1])], 1).squeeze(2)
    rays = exact_product(invert_intrinsics(K), pixels)
    points = rays.unsqueeze(2) * sample(depth, start, padding_mode='border')
    return found[:, None, None], points, end
