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

"""A target between its two sources, and how well a depth explains it by them."""

from typing import NamedTuple

from mdepth_ros.engine.tracked_motion import FEWEST_TRACKS, motion_from_tracks
from mdepth_ros.geometry.intrinsics import invert_intrinsics
from mdepth_ros.geometry.pose import invert_motion, motion_from_parameters
from mdepth_ros.geometry.projection import warp
from mdepth_ros.networks.pose import PoseNet
from mdepth_ros.training.losses import source_errors
from mdepth_ros.training.samples.sample import SampleBatch
import torch
from torch import Tensor


class Triplet(NamedTuple):
    """Three frames in the order of time, (B, 3, H, W) in [0, 1]."""

    before: Tensor
    target: Tensor
    after: Tensor

    @property
    def sources(self) -> list[Tensor]:
        """Return the two neighbours."""
        return [self.before, self.after]


class Motions(NamedTuple):
    """``T_source_target`` (B, 4, 4) of the source before and the one after."""

    before: Tensor
    after: Tensor

    def detach(self) -> 'Motions':
        """Return the same without gradient."""
        return Motions(self.before.detach(), self.after.detach())


class Explanation(NamedTuple):
    """Sources warped into the target's view, and their errors (B, 2, H, W) there."""

    warped: list[Tensor]
    errors: Tensor


def to_float(frames: Tensor) -> Triplet:
    """Turn (B, 3, 3, H, W) uint8 frames into images."""
    return Triplet(*(frames.float() / 255).unbind(dim=1))


def estimate_motions(pose: PoseNet, seen: Triplet) -> Motions:
    """
    Run PoseNet on both pairs, always in the order of time.

    :param pose: the network.
    :param seen: the frames as the networks see them.
    :return: motions from the target to its sources.
    """
    earlier = torch.cat([seen.before, seen.target])
    later = torch.cat([seen.target, seen.after])
    parameters = (values.float() for values in pose(earlier, later))
    T_target_before, T_after_target = motion_from_parameters(*parameters).chunk(2)
    return Motions(invert_motion(T_target_before), T_after_target)


def follow_motions(tracks: Tensor, depth: Tensor, K: Tensor, otherwise: Motions) -> Motions:
    """
    Solve for the motions that explain followed points by a depth.

    :param tracks: (B, 2, N, 4) of :class:`SampleBatch`.
    :param depth: (B, 1, H, W) of the target [m]; the motions have its scale.
    :param K: (B, 3, 3) [px].
    :param otherwise: where too few points were followed.
    :return: motions from the target to its sources, without gradient from the tracks.
    """
    solved = []
    for track, T in zip(tracks.unbind(dim=1), otherwise):
        enough = (~track.isnan().any(dim=2)).sum(dim=1) >= FEWEST_TRACKS
        tracked = motion_from_tracks(track, depth.detach(), K)
        solved.append(torch.where(enough.view(-1, 1, 1), tracked, T))
    return Motions(*solved)


def explain(clean: Triplet, depth: Tensor, K: Tensor, motions: Motions) -> Explanation:
    """
    Warp both sources by a depth and compare them with the target.

    :param clean: the frames as they were taken.
    :param depth: (B, 1, H, W) of the target [m].
    :param K: (B, 3, 3) [px].
    :param motions: from the target to its sources.
    :return: warped sources and errors, NaN where the depth or a motion is.
    """
    inv_K = invert_intrinsics(K)
    warped = [warp(source, depth, K, inv_K, T)[0]
              for source, T in zip(clean.sources, motions)]
    return Explanation(warped, source_errors(clean.target, warped))


def identity_errors(clean: Triplet) -> Tensor:
    """Errors (B, 2, H, W) of the sources as they are, for a camera that does not move."""
    return source_errors(clean.target, clean.sources)


def load(batch: SampleBatch) -> tuple[Triplet, Triplet]:
    """Return the frames as they were taken, and as the networks see them."""
    return to_float(batch.frames), to_float(batch.augmented)
