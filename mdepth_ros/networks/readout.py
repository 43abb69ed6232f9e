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

"""From probabilities of the hypotheses to depth."""

from typing import NamedTuple

from mdepth_ros.geometry.shapes import require_shape
import torch
from torch import Tensor


class Readout(NamedTuple):
    """
    What a distribution over the hypotheses says.

    ``depth`` (B, 1, h, w) [m]; ``window_mass`` (B, 1, h, w) in (0, 1], the probability within one
    hypothesis of the best: near 1 where matching is unambiguous.
    """

    depth: Tensor
    window_mass: Tensor


def read_depth(probabilities: Tensor, hypotheses: Tensor) -> Readout:
    """
    Average the depths around the most probable hypothesis.

    The window is the best hypothesis and its two neighbours. At the ends of the range the missing
    neighbour is replaced by the end itself, which thus counts twice in the mean (not in the mass):
    the published weights were trained like that.

    Source: paper, read-out of M-DepthNet.

    :param probabilities: (B, D, h, w) sum to 1 over D.
    :param hypotheses: (B, D, h, w) depths [m].
    :return: depth and the window's probability.
    :raises ValueError: if a shape differs from the ones above.
    """
    require_shape('probabilities', probabilities, ('B', 'D', 'h', 'w'))
    require_shape('hypotheses', hypotheses, tuple(probabilities.shape))
    D = probabilities.shape[1]
    # A mask over D instead of a gather: it exports to plain comparisons and products.
    best = probabilities.argmax(dim=1, keepdim=True)
    index = torch.arange(D, device=probabilities.device).view(1, D, 1, 1)
    offset = (index - best).abs()
    window = (offset <= 1).to(probabilities.dtype)
    at_end = (index == 0) | (index == D - 1)
    doubled = ((offset == 0) & at_end).to(probabilities.dtype)
    inside = probabilities * window
    weight = inside + probabilities * doubled
    depth = (weight * hypotheses).sum(dim=1, keepdim=True) / weight.sum(dim=1, keepdim=True)
    return Readout(depth, inside.sum(dim=1, keepdim=True))
