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

"""Depth [m], inverse depth [1/m] and the networks' disparity in (0, 1)."""

from torch import Tensor


def disparity_to_depth(disparity: Tensor, min_depth: float, max_depth: float) -> Tensor:
    """
    Turn a sigmoid output into depth: 1/depth = 1/max + disparity (1/min - 1/max).

    :param disparity: any shape, values in [0, 1]; 0 is the far end.
    :param min_depth: depth at disparity 1 [m].
    :param max_depth: depth at disparity 0 [m].
    :return: depth of the same shape [m].
    :raises ValueError: unless 0 < min_depth < max_depth.
    """
    _check_range(min_depth, max_depth)
    return 1.0 / (1.0 / max_depth + disparity * (1.0 / min_depth - 1.0 / max_depth))


def depth_to_disparity(depth: Tensor, min_depth: float, max_depth: float) -> Tensor:
    """
    Invert :func:`disparity_to_depth`.

    :param depth: any shape [m].
    :param min_depth: depth at disparity 1 [m].
    :param max_depth: depth at disparity 0 [m].
    :return: disparity of the same shape; outside [0, 1] where depth is outside the range.
    :raises ValueError: unless 0 < min_depth < max_depth.
    """
    _check_range(min_depth, max_depth)
    return (1.0 / depth - 1.0 / max_depth) / (1.0 / min_depth - 1.0 / max_depth)


def _check_range(min_depth: float, max_depth: float) -> None:
    """Refuse an empty or negative range."""
    if not 0.0 < min_depth < max_depth:
        raise ValueError(f'need 0 < min_depth < max_depth, got {min_depth} and {max_depth}')
