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
from heapq import nsmallest
import math

from mdepth_ros.engine.corners import full_size, working_size
from mdepth_ros.engine.epipolar import median_known
from mdepth_ros.engine.frame_buffer import PastFrame
from mdepth_ros.engine.point_tracker import (
    still_followed,
    TrackedPoints,
    tracks_between,
    tracks_into,
)
from mdepth_ros.engine.step_motion import step_motion
from mdepth_ros.engine.tracked_motion import (
    FEWEST_TRACKS,
    motions_from_tracks,
    motions_together,
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
    tracks = _pixels(tracks_into(tracked, [frame.tracked for frame in tried]), depth)
    solved = motions_from_tracks(tracks, depth, K)
    moved = median_known((tracks[..., 2:] - tracks[..., :2]).norm(dim=2).numpy())
    parallax, agreeing = solved.parallax.tolist(), solved.agreeing.tolist()
    newest = len(tried) - 1
    usable = [i for i in range(len(tried)) if agreeing[i] >= FEWEST_AGREEING
              and (i == newest or parallax[i] >= LEAST_SHARE * moved[i])]
    sources = [Source(tried[i], solved.T_source_target[i:i + 1], parallax[i] / depth.shape[-1])
               for i in usable]
    return _together(_with_step(sources, frames[-1], tracked, depth, K), tracks[usable], depth, K)


def _with_step(
    sources: list[Source], previous: PastFrame, tracked: TrackedPoints, depth: Tensor, K: Tensor
) -> list[Source]:
    """Solve for the motion to the frame before again, where a source with more parallax helps."""
    wide = next(iter(choose_sources(sources, 1)), None)
    last = next((source for source in sources if source.frame is previous), None)
    if wide is None or last is None or wide.parallax <= last.parallax:
        return sources
    tracks = _pixels(tracks_between(tracked, previous.tracked, wide.frame.tracked), depth)
    T = step_motion(tracks, wide.T_source_target, depth, K)
    if T is None:
        return sources
    return [*sources[:-1], Source(previous, T, wide.parallax * _ratio(T, wide.T_source_target))]


def _together(sources: list[Source], tracks: Tensor, depth: Tensor, K: Tensor) -> list[Source]:
    """Refine by tracks (B, N, 4) what each of B sources tells by what the others do."""
    if len(sources) < 2:
        return sources
    before = torch.cat([source.T_source_target for source in sources])
    T = motions_together(tracks, before, depth, K)
    return [Source(source.frame, now, source.parallax * _ratio(now, source.T_source_target))
            for source, now in zip(sources, T[:, None])]


def _pixels(tracks: NDArray[np.float32], depth: Tensor) -> Tensor:
    """Tracks of the working image in pixels of the depth."""
    height, width = depth.shape[-2:]
    return torch.from_numpy(full_size(tracks, working_size(width, height), (width, height)))


def _ratio(T: Tensor, other: Tensor) -> float:
    """How many times as long the translation of a (1, 4, 4) motion is as that of another."""
    return float(T[0, :3, 3].norm() / other[0, :3, 3].norm().clamp(min=1e-12))


def _promising(frames: Sequence[PastFrame], count: int) -> list[int]:
    """Those to solve for, if the camera goes on as in its last step; oldest first."""
    now = 2 * frames[-1].parallax - (frames[-2].parallax if len(frames) > 1 else 0.0)
    best_first = sorted(range(len(frames)), key=lambda i: _distance(now - frames[i].parallax))
    return sorted({len(frames) - 1, *best_first[:count]})


def _distance(parallax: float) -> float:
    """How far from the best parallax, as a factor's logarithm."""
    more = math.log(max(parallax, _LEAST_PARALLAX) / BEST_PARALLAX)
    return max(TOO_MUCH * more, -more)


def choose_sources(sources: Sequence[Source], count: int) -> list[Source]:
    """
    Take the frames with the best parallax.

    :param sources: oldest first.
    :param count: how many at most.
    :return: the best first; at least one where there is any and count is not 0.
    """
    return nsmallest(count, reversed(sources), key=lambda it: _distance(it.parallax))
