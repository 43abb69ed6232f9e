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

"""Rendered pairs kept in memory: a pool is drawn from many times, and grows while it is used."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mdepth_ros.geometry.pose import invert_motion
from mdepth_ros.training.scenes.photographs import Photographs
from mdepth_ros.training.stage0.image_pool import mirrored, VARIED_SHARE
from mdepth_ros.training.synthetic import (
    random_config,
    render_sequence,
    SyntheticSequence,
    to_bytes,
)
import numpy as np
import torch
from torch import Tensor

# Network sizes of the usual cameras, from 10:3 to 4:3, of about equal cost.
SIZES = ((416, 128), (320, 160), (288, 192), (256, 192))
# Building a world costs as much as ten frames of it.
FRAMES = 10


@dataclass(frozen=True)
class PairBatch:
    """
    Pairs with their truth.

    ``target`` and ``source`` (B, 3, H, W) in [0, 1]; the source was taken first. ``depth``
    (B, 1, H, W) of the target [m], Inf for the sky. ``K`` (B, 3, 3) [px]. ``T_source_target``
    (B, 4, 4) [m].
    """

    target: Tensor
    source: Tensor
    depth: Tensor
    K: Tensor
    T_source_target: Tensor


class PairPool:
    """Short synthetic sequences of one size."""

    def __init__(self, size: tuple[int, int], capacity: int,
                 photographs: Photographs | None = None) -> None:
        """
        Start empty.

        :param size: width and height of the images [px].
        :param capacity: sequences that are kept; the oldest go first.
        :param photographs: for the surfaces of some worlds.
        """
        self.size = size
        self.capacity = capacity
        self._photographs = photographs
        self._sequences: list[SyntheticSequence] = []

    def __len__(self) -> int:
        return len(self._sequences)

    def grow(self, seed: int) -> None:
        """Render one more sequence; the same seed gives the same one."""
        sequence = render_sequence(
            random_config(seed, *self.size, frames=FRAMES, varied=VARIED_SHARE), seed,
            photographs=self._photographs)
        self._sequences.append(replace(sequence, images=to_bytes(sequence.images),
                                       depth=sequence.depth.half()))
        del self._sequences[:-self.capacity]

    def draw(self, count: int, rng: np.random.Generator) -> PairBatch:
        """
        Draw pairs, each of another sequence, some of them mirrored.

        :param count: B, at most the number of sequences.
        :param rng: decides.
        """
        chosen = rng.choice(len(self._sequences), count, replace=False)
        return _stack([_pair(self._sequences[i], rng) for i in chosen])


def _pair(sequence: SyntheticSequence, rng: np.random.Generator) -> PairBatch:
    """Take two frames, one to four apart, as a batch of one."""
    gap = int(rng.choice(4, p=[0.4, 0.3, 0.2, 0.1])) + 1
    later = int(rng.integers(gap, FRAMES))
    earlier = later - gap
    T = invert_motion(sequence.T_world_camera[earlier]) @ sequence.T_world_camera[later]
    images, K = sequence.images[[earlier, later]].float() / 255, sequence.K
    depth = sequence.depth[later].float()
    if rng.random() < 0.5:
        images, depth, K = images.flip(-1), depth.flip(-1), mirrored(K, images.shape[-1])
        mirror = torch.diag(torch.tensor([-1.0, 1.0, 1.0, 1.0]))
        T = mirror @ T @ mirror
    images = _other_camera(images, rng)
    return PairBatch(images[1:], images[:1], depth[None], K[None], T[None])


def _other_camera(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Change the colours of both frames alike, and their brightness a little apart."""
    if rng.random() < 0.1:
        images = images.mean(dim=1, keepdim=True).expand_as(images)
    grey = images.mean(dim=1, keepdim=True)
    images = grey + (images - grey) * float(rng.uniform(0.6, 1.4))
    tint = torch.from_numpy(rng.uniform(0.9, 1.1, (1, 3, 1, 1))).float()
    gain = torch.from_numpy(rng.uniform(0.97, 1.03, (2, 1, 1, 1))).float()
    images = (images * tint * gain * float(rng.uniform(0.75, 1.25))).clamp(1e-3, 1.0)
    return images ** float(rng.uniform(0.75, 1.3))


def _stack(pairs: Sequence[PairBatch]) -> PairBatch:
    """Join batches."""
    return PairBatch(*(torch.cat([getattr(pair, name) for pair in pairs])
                       for name in ('target', 'source', 'depth', 'K', 'T_source_target')))
