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

"""Group-wise correlation of the target's features with the sources', hypothesis by hypothesis."""

from mdepth_ros.geometry.projection import sample, sweep
from mdepth_ros.geometry.shapes import require_shape
import torch
from torch import Tensor

# A pixel that far outside reads zeros only, whatever its neighbours are.
OUTSIDE = -2.0


def correlation_volume(
    target: Tensor,
    sources: Tensor,
    hypotheses: Tensor,
    K: Tensor,
    T_source_target: Tensor,
    groups: int,
) -> Tensor:
    """
    Warp every source to every hypothesis and compare it with the target.

    Channel c belongs to group c modulo G. Pixels outside a source, or behind it, score 0.

    :param target: (B, C, h, w) matching features of the target.
    :param sources: (B, S, C, h, w) matching features of the sources.
    :param hypotheses: (B, D, h, w) depths [m].
    :param K: (B, 3, 3) intrinsics at the features' resolution [px].
    :param T_source_target: (B, S, 4, 4) motions from the target to the sources.
    :param groups: number of groups G, divides C.
    :return: (B, G, D, h, w) score, higher is more alike, averaged over the sources.
    :raises ValueError: if a shape differs from the ones above.
    """
    require_shape('target', target, ('B', 'C', 'h', 'w'))
    B, C, h, w = target.shape
    require_shape('sources', sources, (B, 'S', C, h, w))
    S = sources.shape[1]
    require_shape('hypotheses', hypotheses, (B, 'D', h, w))
    require_shape('T_source_target', T_source_target, (B, S, 4, 4))
    if S == 0 or C % groups:
        raise ValueError(f'need at least one source and a multiple of {groups} channels, '
                         f'got {S} and {C}')
    warped = [_warp(sources[:, s], hypotheses, K, T_source_target[:, s]) for s in range(S)]
    # The correlation is linear in the sources: they are added up, then compared once.
    seen = sum(warped[1:], warped[0])
    # Products of slices, added up, compile to one pass over the volume.
    first, *others = (a * b for a, b in zip(seen.split(groups, dim=1),
                                            target.unsqueeze(2).split(groups, dim=1)))
    return sum(others, first) * (groups / C / S)


def _warp(source: Tensor, hypotheses: Tensor, K: Tensor, T_source_target: Tensor) -> Tensor:
    """Sample (B, C, h, w) where the target's pixels would be seen: (B, C, D, h, w)."""
    B, D, h, w = hypotheses.shape
    pixels, in_front = sweep(hypotheses, K, T_source_target)
    pixels = torch.where(in_front, pixels, torch.full_like(pixels, OUTSIDE))
    # One tall sampling grid instead of D copies of the source.
    return sample(source, pixels).view(B, -1, D, h, w)
