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

"""Which of the past frames to match with: the camera must have moved, but not out of view."""

from collections.abc import Sequence
from dataclasses import dataclass
import math

from mdepth_ros.engine.corners import full_size, working_size, WORKING_WIDTH
from mdepth_ros.engine.epipolar import Array, median_known
from mdepth_ros.engine.frame_buffer import PastFrame
from mdepth_ros.engine.lifted_tracks import lift, Lifted
from mdepth_ros.engine.point_tracker import (
    still_followed,
    TrackedPoints,
    tracks_between,
    tracks_into,
)
from mdepth_ros.engine.step_motion import step_motion
from mdepth_ros.engine.tracked_motion import (
    adjust_together,
    FEWEST_TRACKS,
    solve_motions,
    TrackedMotions,
)
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

# Followed points tell the motion if such a share of them agrees with it.
FEWEST_AGREEING = 0.5
# Share of a frame's points that are found in its source, at least; more of them are in view.
LEAST_OVERLAP = 0.15
# Less parallax tells less, and with more of it less is in view and looks the same [image widths].
BEST_PARALLAX = 0.015
# Too much of it is worse than too little.
TOO_MUCH = 1.5
# Where the points moved much further, the camera turned, and what is left over for a translation
# may be the error of having followed them so far.
LEAST_SHARE = 0.04
# A further frame with less than this share of the best one's parallax only blurs what that tells.
LEAST_FURTHER = 0.15
_LEAST_PARALLAX = 1e-6


@dataclass(frozen=True)
class Source:
    """
    A past frame and the camera's motion since.

    ``T_source_target`` (1, 4, 4) at the scale of the target's depth. ``parallax`` is the median
    displacement that the translation causes [image widths].
    """

    frame: PastFrame
    T_source_target: Tensor
    parallax: float


def find_sources(
    frames: Sequence[PastFrame], tracked: TrackedPoints, depth: Tensor, K: Tensor, count: int = 1,
) -> list[Source]:
    """
    Solve for the motion to past frames whose points can still be followed.

    Each takes its time: only to the newest one, and to those that promise the best parallax.

    :param frames: oldest first.
    :param tracked: the target's points [px of the working image].
    :param depth: (1, 1, H, W) single-frame depth of the target [network units].
    :param K: (1, 3, 3) intrinsics [px].
    :param count: how many promising ones.
    :return: the usable ones, oldest first.
    """
    fewest = max(FEWEST_TRACKS, LEAST_OVERLAP * len(tracked.ids))
    seen = [it for it in frames if still_followed(it.tracked, tracked) >= fewest]
    if not seen:
        return []
    tried = [seen[i] for i in _promising(seen, count)]
    lifted = _lift(tracks_into(tracked, [frame.tracked for frame in tried]), depth, K)
    solved = solve_motions(lifted)
    usable = _usable(solved, lifted)
    if not usable:
        return []
    used = [tried[i] for i in usable]
    T, parallax = solved.T_source_target[usable], solved.parallax[usable]
    wide = _best_first(parallax.tolist())[0]
    if used[-1] is frames[-1] and parallax[wide] > parallax[-1]:
        # A source with more parallax helps to tell the motion since the frame before.
        shared = tracks_between(tracked, used[-1].tracked, used[wide].tracked)
        step = step_motion(_lift(shared[None], depth, K), T[wide:wide + 1])
        if step is not None:
            T[-1:], parallax[-1:] = step, parallax[wide] * _length(step) / _length(T[wide])
    if len(used) > 1:
        before, T = T, adjust_together(Lifted(*(it[usable] for it in lifted)), T)
        parallax = parallax * _length(T) / _length(before)
    return [Source(*each) for each in zip(
        used, torch.from_numpy(T[:, None]).to(depth), parallax.tolist())]


def _usable(solved: TrackedMotions, lifted: Lifted) -> list[int]:
    """Those whose points tell a motion, and others than the last only if they have parallax."""
    moved = median_known(np.linalg.norm(lifted.pixels[:, 2:] - lifted.pixels[:, :2], axis=1))
    has_parallax = solved.parallax >= LEAST_SHARE * moved / WORKING_WIDTH
    has_parallax[-1] = True
    return [*map(int, np.flatnonzero((solved.agreeing >= FEWEST_AGREEING) & has_parallax))]


def _lift(tracks: NDArray[np.float32], depth: Tensor, K: Tensor) -> Lifted:
    """Lift (B, N, 4) or more [px of the working image] from one depth."""
    B, (height, width) = len(tracks), depth.shape[-2:]
    pixels = full_size(tracks, working_size(width, height), (width, height))
    return lift(torch.from_numpy(pixels), depth.expand(B, -1, -1, -1), K.expand(B, -1, -1))


def _length(T: Array) -> Array:
    """Of the translation of (..., 4, 4) motions."""
    length: Array = np.linalg.norm(T[..., :3, 3], axis=-1).clip(1e-12)
    return length


def _promising(frames: Sequence[PastFrame], count: int) -> list[int]:
    """Those to solve for, if the camera goes on as in its last step; oldest first."""
    now = 2 * frames[-1].parallax - (frames[-2].parallax if len(frames) > 1 else 0.0)
    expected = [now - frame.parallax for frame in frames]
    return sorted({len(frames) - 1, *_best_first(expected)[:count]})


def _best_first(parallax: Sequence[float]) -> list[int]:
    """Order frames, oldest first, by their parallax; the newest of equals before the others."""
    newest_first = reversed(range(len(parallax)))
    return sorted(newest_first, key=lambda i: _distance(parallax[i]))


def _distance(parallax: float) -> float:
    """How far from the best parallax, as a factor's logarithm."""
    more = math.log(max(parallax, _LEAST_PARALLAX) / BEST_PARALLAX)
    return max(TOO_MUCH * more, -more)


def choose_sources(sources: Sequence[Source], count: int) -> list[Source]:
    """
    Take the frames with the best parallax.

    :param sources: oldest first.
    :param count: how many at most.
    :return: the best first, others only with some of its parallax; at least one where there is
        any and count is not 0.
    """
    best = [sources[i] for i in _best_first([it.parallax for it in sources])[:count]]
    return [it for it in best if it.parallax >= LEAST_FURTHER * best[0].parallax]
