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

"""The estimator's own depth of recorded frames, from which S-DepthNet can learn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
import math

from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import Frame
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.datasets import sequence as data
from mdepth_ros.training.ranks.reduction import sum_over_ranks
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor
from tqdm import tqdm

# Frames that are played one after the other.
LONGEST_CLIP = 60
# Where neither direction is sure of anything, both count alike.
LEAST_WEIGHT = 1e-3


@dataclass(frozen=True)
class TaughtFrame:
    """
    A frame and its depth.

    ``rgb`` (H, W, 3) uint8, as the networks see it, and its intrinsics ``K`` (3, 3) [px];
    ``log_depth`` (H, W) float16, logarithm of the depth [network units]; ``weight`` (H, W)
    float16, its confidence in [0, 1], 0 where there is no depth.
    """

    rgb: NDArray[np.uint8]
    K: NDArray[np.float64]
    log_depth: Tensor
    weight: Tensor


@dataclass(frozen=True)
class Clip:
    """Frames ``indices`` of ``sequence``, rising."""

    sequence: data.Sequence
    indices: range


def choose_clips(sequences: Sequence[data.Sequence], most: int) -> list[Clip]:
    """
    Choose what to play: all, or parts of a long recording.

    :param sequences: what there is.
    :param most: frames in all, if there are more; about so many.
    :return: clips of at most ``LONGEST_CLIP`` frames, spread evenly.
    """
    clips, longest = [], min(LONGEST_CLIP, most)
    for sequence in sequences:
        # Of one length, so that none is too short to match anything.
        count = math.ceil(len(sequence) / longest)
        borders = [round(i * len(sequence) / count) for i in range(count + 1)]
        clips += [Clip(sequence, range(first, end)) for first, end in pairwise(borders)]
    total = sum(len(clip.indices) for clip in clips)
    if total <= most:
        return clips
    allowed = max(1, round(len(clips) * most / total))
    return [clips[i] for i in np.linspace(0, len(clips) - 1, allowed).round().astype(int)]


def teach(
    model: DepthModel, clips: Sequence[Clip], config: EngineConfig, progress: bool = False
) -> list[TaughtFrame]:
    """
    Estimate the depth of every frame from those before it, and again from those after it.

    Source: paper, section III, whose teacher is M-DepthNet of the frame before alone. Differs: it
    is what the robot would publish, averaged over time and over both directions by its
    confidence, in which S-DepthNet's depth stands where nothing is matched. All of it together, of
    all processes, has the scale of S-DepthNet's, which would drift from round to round otherwise.

    :param model: in eval mode; it is not changed.
    :param clips: what to play; some in each process.
    :param config: size, device and threads.
    :param progress: whether to show a bar.
    :return: the frames to train on; the others were only looked at.
    :raises MdepthError: if a frame cannot be read or run.
    """
    estimator = DepthEstimator(model, config)
    total = sum(len(clip.indices) for clip in clips)
    frames, shifts = [], []
    with tqdm(total=total, desc='depth to learn from', unit='frame', disable=not progress) as bar:
        for clip in clips:
            back = list(_play(estimator, clip, backwards=True))[::-1]
            targets = clip.indices if clip.sequence.targets is None else clip.sequence.targets
            for index, before, after in zip(
                    clip.indices, _play(estimator, clip, backwards=False), back):
                if index in targets:
                    frames.append(_joined(before, after))
                shifts += [before.shift, after.shift]
                bar.update()
    total = sum_over_ranks(torch.tensor([math.fsum(shifts), len(shifts)], dtype=torch.float64,
                                        device=estimator.device))
    shift = float(total[0] / total[1])
    return [replace(frame, log_depth=(frame.log_depth - shift).half()) for frame in frames]


@dataclass(frozen=True)
class _Played:
    """
    One direction's answer: ``rgb``, ``K`` and (H, W) ``log_depth``, ``weight``, ``valid``, bool.

    Where not valid, log depth and weight are 0. ``shift`` is by how much its depth as a whole is
    above S-DepthNet's, as a logarithm.
    """

    rgb: NDArray[np.uint8]
    K: NDArray[np.float64]
    log_depth: Tensor
    weight: Tensor
    valid: Tensor
    shift: float


def _play(estimator: DepthEstimator, clip: Clip, backwards: bool) -> Iterator[_Played]:
    """Push the frames; time runs backwards by the same steps."""
    estimator.reset()
    sequence, indices = clip.sequence, list(clip.indices)
    origin_ns = sequence.stamp_ns(indices[-1]) + 1
    for index in indices[::-1] if backwards else indices:
        stamp_ns = sequence.stamp_ns(index)
        frame = Frame(sequence.rgb(index), sequence.camera,
                      origin_ns - stamp_ns if backwards else stamp_ns)
        estimate = estimator.push(frame)
        valid = estimate.valid
        log_depth = torch.where(valid, estimate.depth / estimate.scale, 1.0).log()
        shift = log_depth - (estimate.single_depth / estimate.scale).log()
        yield _Played(estimate.rgb, estimate.K.double().cpu().numpy(), log_depth[0, 0].cpu(),
                      torch.where(valid, estimate.confidence, 0.0)[0, 0].cpu(),
                      valid[0, 0].cpu(),
                      float(shift[valid].median()) if valid.any() else 0.0)


def _joined(one: _Played, other: _Played) -> TaughtFrame:
    """Average both directions, brought to one scale, by the squares of their confidence."""
    weights = [(it.weight ** 2 + LEAST_WEIGHT) * it.valid for it in (one, other)]
    both = one.valid & other.valid
    half = (one.log_depth - other.log_depth)[both].median() / 2 if both.any() else 0.0
    log_depth = ((weights[0] * (one.log_depth - half) + weights[1] * (other.log_depth + half))
                 / (weights[0] + weights[1]).clamp(min=LEAST_WEIGHT))
    return TaughtFrame(one.rgb, one.K, log_depth, torch.maximum(one.weight, other.weight).half())
