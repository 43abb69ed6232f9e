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

"""Frames that are trained with together, and the rule that chooses them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Triplet:
    """Frame numbers of a sample, ``before`` < ``target`` < ``after``."""

    target: int
    before: int
    after: int


@dataclass(frozen=True)
class Neighbours:
    """
    What a sequence offers for training.

    :ivar triplets: in the order of their targets.
    :ivar skipped: how many targets have no usable neighbour on a side, by reason.
    """

    triplets: tuple[Triplet, ...]
    skipped: dict[str, int]


@dataclass(frozen=True)
class ParallaxRule:
    """
    Which frame is the neighbour of another.

    The nearest one with parallax ``target``, or the one with most parallax, if that is at least
    ``least``; both are shares of the image's width. Not considered are frames that share too few
    corners with the target, less than ``least_tracked`` of those of the earlier of the two, that
    are more than ``longest_s`` [s] or ``most_frames`` away, or that lie beyond a pause of
    ``longest_s``.
    """

    target: float = 0.008
    least: float = 0.004
    least_tracked: float = 0.35
    longest_s: float = 1.0
    most_frames: int = 30
