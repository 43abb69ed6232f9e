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

"""Batches from sequences on disk: each step's batch depends on the seed and the step alone."""

import atexit
from collections.abc import Iterator, Sequence
import itertools
import math
import os
from pathlib import Path
import shutil

import cv2
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.child_processes import end_with_parent
from mdepth_ros.training.datasets import sequence as data
from mdepth_ros.training.datasets.sequence import DataError
from mdepth_ros.training.samples.augment import (
    change_colours,
    draw_colours,
    draw_view,
    take_tracks,
    take_view,
    View,
)
from mdepth_ros.training.samples.point_tracks import PointTracks
from mdepth_ros.training.samples.sample import CHANGE, epoch_order, own_rows, SampleBatch
from mdepth_ros.training.samples.triplet import Triplet
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info


class FolderSamples:
    """
    Shuffled, augmented batches without an end.

    The order of an epoch depends on (seed, epoch); the view and the colours of a sample on (seed,
    epoch, sample). So a run that starts at step k sees what an undisturbed one would have seen,
    and the ranks together see what one process with the whole batch would have seen.
    """

    def __init__(
        self, sequences: Sequence[data.Sequence], triplets: Sequence[Sequence[Triplet]],
        width: int, height: int, batch: int, seed: int, augment: bool = True, workers: int = 0,
        rank: int = 0, world_size: int = 1, pin_memory: bool = False, tracks: int = 0,
    ) -> None:
        """
        Read nothing yet.

        :param sequences: where the frames are.
        :param triplets: for each sequence its samples.
        :param width: width of the networks' input [px].
        :param height: height of the networks' input [px].
        :param batch: B over all ranks.
        :param seed: decides on order, views and colours.
        :param augment: False leaves views and colours as they are; they are still shuffled.
        :param workers: processes that prepare batches; 0 prepares them here, when asked for.
        :param rank: number of this process.
        :param world_size: number of processes.
        :param pin_memory: leave the batches in page-locked memory, for copies to a GPU.
        :param tracks: how many points of the target are followed into each source; 0 for none.
        :raises ValueError: if there are no samples, or the batch cannot be shared out.
        """
        self._steps = _Steps(sequences, triplets, width, height, batch, seed, augment,
                             rank, world_size, tracks)
        self._workers, self._pin_memory, self._world_size = workers, pin_memory, world_size

    @property
    def samples_per_epoch(self) -> int:
        """How many samples there are."""
        return len(self._steps.samples)

    def batches(self, first_step: int = 0) -> Iterator[SampleBatch]:
        """
        Give the batches of all steps from one on.

        :param first_step: 0 at the beginning.
        :return: this rank's rows of each batch; never ends.
        :raises DataError: naming the file, at the step that needs a frame that cannot be read; or
            if there is not enough shared memory for the workers.
        """
        self._check_shared_memory()
        loader = DataLoader(
            self._steps, batch_size=None,
            sampler=itertools.count(first_step),  # type: ignore[arg-type]
            num_workers=self._workers, pin_memory=self._pin_memory,
            # Forked workers inherit the locks of threads that they do not have.
            multiprocessing_context='spawn' if self._workers else None,
            worker_init_fn=_begin_worker if self._workers else None)
        for batch in loader:
            if isinstance(batch, MdepthError):
                raise batch
            yield batch

    def _check_shared_memory(self) -> None:
        """Refuse what would end as a bus error in a worker of any process on this machine."""
        total, free = _shared_memory()
        # Over machines torchrun started them, and says how many share this one.
        here = int(os.environ.get('LOCAL_WORLD_SIZE', self._world_size))
        # Of each worker two batches are ahead, and one is in use.
        own = (2 * self._workers + 1) * self._steps.batch_bytes
        # What is free now the others' workers may have left.
        if self._workers and (free < own or total < here * own):
            raise DataError(
                f'{self._workers} workers in each of {here} processes need {here * own / 1e6:.0f} '
                f'MB of shared memory, /dev/shm has {total / 1e6:.0f} MB, '
                f'{free / 1e6:.0f} MB free: take fewer workers, or give it more '
                '(docker run --shm-size)')


class _Steps(Dataset[SampleBatch | MdepthError]):
    """Prepares the batch of a step; a data set for torch's loader, whose index is the step."""

    def __init__(
        self, sequences: Sequence[data.Sequence], triplets: Sequence[Sequence[Triplet]],
        width: int, height: int, batch: int, seed: int, augment: bool, rank: int, world_size: int,
        tracks: int,
    ) -> None:
        if len(sequences) != len(triplets):
            raise ValueError(f'triplets must be given for each of {len(sequences)} sequences, '
                             f'got {len(triplets)}')
        self.samples = [(number, triplet) for number, some in enumerate(triplets)
                        for triplet in some]
        if not self.samples:
            raise ValueError(f'no samples in {len(sequences)} sequences')
        self._sequences, self._size, self._seed = list(sequences), (width, height), seed
        self._augment, self._batch = augment, batch
        self._rows = own_rows(batch, rank, world_size)
        self._tracks = PointTracks(tracks)

    @property
    def batch_bytes(self) -> int:
        """Size of the images of this rank's rows."""
        width, height = self._size
        return 2 * len(self._rows) * 9 * height * width

    def __getitem__(self, step: int) -> SampleBatch | MdepthError:
        try:
            return self._prepare(step)
        except MdepthError as error:
            # Returned, not raised: the loader would wrap it in a worker's traceback.
            return error

    def _prepare(self, step: int) -> SampleBatch:
        width, height = self._size
        frames = torch.empty(len(self._rows), 3, 3, height, width, dtype=torch.uint8)
        augmented, K = torch.empty_like(frames), torch.empty(len(self._rows), 3, 3)
        tracks = torch.empty(len(self._rows), 2, self._tracks.count, 4)
        if get_worker_info() is not None:
            # Written where the training process reads it: saves a copy.
            frames, augmented = frames.share_memory_(), augmented.share_memory_()
        for place, row in enumerate(self._rows):
            epoch, position = divmod(step * self._batch + row, len(self.samples))
            index = epoch_order(self._seed, epoch, len(self.samples))[position]
            self._fill(frames[place].numpy(), augmented[place].numpy(), K[place].numpy(),
                       tracks[place].numpy(), epoch, int(index))
        return SampleBatch(frames, augmented, K, tracks if self._tracks.count else None)

    def _fill(
        self, frames: np.ndarray, augmented: np.ndarray, K: np.ndarray, tracks: np.ndarray,
        epoch: int, index: int,
    ) -> None:
        """Write one sample: (3, 3, H, W) twice, (3, 3) and (2, N, 4)."""
        rng = np.random.default_rng([self._seed, CHANGE, epoch, index])
        view = draw_view(rng) if self._augment else View()
        colours = draw_colours(rng) if self._augment else None
        number, triplet = self.samples[index]
        sequence = self._sequences[number]
        K_image = sequence.camera.rectified_K()
        images = {frame: sequence.rgb(frame)
                  for frame in (triplet.before, triplet.target, triplet.after)}
        for place, rgb in enumerate(images.values()):
            image, K[:] = take_view(rgb, K_image, *self._size, view)
            cv2.split(image, list(frames[place]))
            if colours is not None:
                cv2.split(change_colours(image, colours), list(augmented[place]))
        if colours is None:
            augmented[:] = frames
        if self._tracks.count:
            size = (sequence.camera.width, sequence.camera.height)
            for place, source in enumerate((triplet.before, triplet.after)):
                found = self._tracks.between(sequence.name, triplet.target, source,
                                             images.__getitem__)
                tracks[place] = take_tracks(found, size, *self._size, view)


def _shared_memory() -> tuple[float, float]:
    """Bytes that processes can share, in all and still; endless where no folder limits them."""
    folder = Path('/dev/shm')
    if not folder.is_dir():
        return math.inf, math.inf
    usage = shutil.disk_usage(folder)
    return usage.total, usage.free


def _begin_worker(worker: int) -> None:
    """One thread for images, and an end that is the training process's, whatever ends that."""
    cv2.setNumThreads(1)
    # The thread that sends batches may be inside torch when the interpreter ends, which aborts.
    atexit.register(os._exit, 0)
    # torch looks for the training process by its id, in vain if that was killed while we started.
    end_with_parent()
