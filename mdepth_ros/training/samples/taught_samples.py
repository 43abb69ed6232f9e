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

"""Batches of frames whose depth is given."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mdepth_ros.training.own_depth import TaughtFrame
from mdepth_ros.training.samples.augment import (
    change_colours,
    draw_colours,
    draw_view,
    take_values,
    take_view,
)
from mdepth_ros.training.samples.sample import CHANGE, epoch_order, own_rows
import numpy as np
import torch
from torch import Tensor


class TaughtBatch(NamedTuple):
    """
    What one step learns from.

    ``frames`` (B, 1, 3, H, W) uint8 RGB; ``K`` (B, 3, 3) float32 [px]; ``log_depth``
    (B, 1, H, W) float32 [log of network units]; ``weight`` (B, 1, H, W) float32 in [0, 1].
    """

    frames: Tensor
    K: Tensor
    log_depth: Tensor
    weight: Tensor


class TaughtSamples:
    """
    Shuffled, augmented batches without an end; that of a step depends on seed and step alone.

    An epoch of all ranks has each frame once.

    :param frames: the same in all ranks, and all of one size.
    :param batch: B over all ranks.
    :param seed: decides on order, views and colours.
    :param augment: False leaves views and colours as they are.
    :param rank: number of this process.
    :param world_size: number of processes.
    :raises ValueError: if there are no frames, or the batch cannot be shared out.
    """

    def __init__(
        self, frames: Sequence[TaughtFrame], batch: int, seed: int, augment: bool = True,
        rank: int = 0, world_size: int = 1,
    ) -> None:
        if not frames:
            raise ValueError('frames must not be empty')
        self._frames, self._seed, self._augment = frames, seed, augment
        self._batch, self._rows = batch, own_rows(batch, rank, world_size)

    def batches(self, first_step: int = 0) -> Iterator[TaughtBatch]:
        """
        Give the batches of all steps from one on.

        :param first_step: 0 at the beginning.
        :return: this rank's rows of each batch; never ends.
        """
        step = first_step
        while True:
            rows = [self._take(step, row) for row in self._rows]
            yield TaughtBatch(*(torch.from_numpy(np.stack(column)) for column in zip(*rows)))
            step += 1

    def _take(self, step: int, row: int) -> tuple[np.ndarray, ...]:
        """Prepare a frame: (1, 3, H, W) uint8, K, and twice (1, H, W) float32."""
        epoch, position = divmod(step * self._batch + row, len(self._frames))
        frame = self._frames[epoch_order(self._seed, epoch, len(self._frames))[position]]
        rng = np.random.default_rng([self._seed, CHANGE, step, row])
        rgb, K = frame.rgb, frame.K
        values = [x.float().numpy() for x in (frame.log_depth, frame.weight)]
        height, width = rgb.shape[:2]
        if self._augment:
            view, colours = draw_view(rng), draw_colours(rng)
            rgb, K = take_view(rgb, K, width, height, view)
            values = [take_values(x, width, height, view) for x in values]
            if colours is not None:
                rgb = change_colours(rgb, colours)
        return (rgb.transpose(2, 0, 1)[None], K.astype(np.float32), values[0][None],
                values[1][None])
