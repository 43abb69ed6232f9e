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

"""Batches from synthetic scenes, rendered where they are trained with."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mdepth_ros.training.samples.augment import change_tensor_colours, draw_colours
from mdepth_ros.training.samples.point_tracks import PointTracks
from mdepth_ros.training.samples.sample import own_rows, SampleBatch
from mdepth_ros.training.scenes.held_out import drawn_seed
from mdepth_ros.training.synthetic import Kind, random_config, render_sequence, to_bytes
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

# Building a world costs as much as ten frames of it.
FRAMES = 10
_CHOICE, _CHANGE = 1, 2  # what a random number is for


@dataclass(frozen=True)
class _World:
    """The frames of one sequence, (N, 3, H, W) uint8, and K (3, 3) [px]."""

    images: Tensor
    K: Tensor

    def rgb(self, index: int) -> NDArray[np.uint8]:
        """Return a frame as the tracker wants it."""
        return self.images[index].permute(1, 2, 0).cpu().numpy()


class SyntheticSamples:
    """
    Augmented batches without an end, from a pool of short sequences.

    Worlds are numbered, and each is rendered when it is drawn for the first time. So the batch of
    a step depends on the seed and the step alone.
    """

    def __init__(
        self, width: int, height: int, batch: int, seed: int,
        device: torch.device | str = 'cpu', worlds: int = 200, kind: Kind | None = None,
        augment: bool = True, rank: int = 0, world_size: int = 1, tracks: int = 0,
    ) -> None:
        """
        Render nothing yet.

        :param width: width of the networks' input [px].
        :param height: height of the networks' input [px].
        :param batch: B over all ranks.
        :param seed: decides on worlds, choices and colours.
        :param device: where to render, and where the batches are.
        :param worlds: sequences in the pool; each takes 10 images of memory.
        :param kind: of scene; a mixture if None.
        :param augment: False leaves the colours as they are, and mirrors nothing.
        :param rank: number of this process.
        :param world_size: number of processes.
        :param tracks: how many points of the target are followed into each source; 0 for none.
        :raises ValueError: if there is no world, or the batch cannot be shared out.
        """
        if worlds < 1:
            raise ValueError(f'worlds must be at least 1, got {worlds}')
        self._size, self._seed, self._device, self._kind = (width, height), seed, device, kind
        self._batch, self._worlds, self._augment = batch, worlds, augment
        self._rows = own_rows(batch, rank, world_size)
        self._pool: dict[int, _World] = {}
        self._tracks = PointTracks(tracks)

    def batches(self, first_step: int = 0) -> Iterator[SampleBatch]:
        """
        Give the batches of all steps from one on.

        :param first_step: 0 at the beginning.
        :return: this rank's rows of each batch, on the device; never ends.
        """
        step = first_step
        while True:
            yield self._prepare(step)
            step += 1

    def _prepare(self, step: int) -> SampleBatch:
        """Draw worlds, and a sample from each."""
        rng = np.random.default_rng([self._seed, _CHOICE, step])
        numbers = rng.choice(self._worlds, self._batch, replace=self._batch > self._worlds)
        samples = [self._sample(int(numbers[row]), step, row) for row in self._rows]
        frames, augmented, K, tracks = (torch.stack(parts) for parts in zip(*samples))
        return SampleBatch(frames, augmented, K, tracks if self._tracks.count else None)

    def _sample(self, number: int, step: int, row: int) -> tuple[Tensor, ...]:
        """Take three frames, one or two apart."""
        rng = np.random.default_rng([self._seed, _CHANGE, step, row])
        world = self._world(number)
        gap = 1 if rng.random() < 0.7 else 2
        target = int(rng.integers(gap, FRAMES - gap))
        frames, K = world.images[[target - gap, target, target + gap]], world.K
        found = [self._tracks.between(str(number), target, source, world.rgb)
                 for source in (target - gap, target + gap) if self._tracks.count]
        tracks = torch.from_numpy(np.array(found)).to(K)
        colours = draw_colours(rng) if self._augment else None
        if self._augment and rng.random() < 0.5:
            frames, K = frames.flip(-1), K.clone()
            K[0, 2] = self._size[0] - 1 - K[0, 2]
            tracks[..., ::2] = self._size[0] - 1 - tracks[..., ::2]
        augmented = frames if colours is None else change_tensor_colours(frames, colours)
        return frames, augmented, K, tracks

    def _world(self, number: int) -> _World:
        """Look a world up, or render it."""
        if number not in self._pool:
            seed = drawn_seed(self._seed, number)
            # A camera that stands or only turns teaches nothing without labels.
            config = replace(random_config(seed, *self._size, frames=FRAMES, kind=self._kind),
                             static_camera=False, pure_rotation=False)
            sequence = render_sequence(config, seed, self._device)
            self._pool[number] = _World(to_bytes(sequence.images), sequence.K)
        return self._pool[number]
