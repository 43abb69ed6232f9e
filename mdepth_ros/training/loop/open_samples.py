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

"""From a recipe's data to batches, and to the frames that are held back."""

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from lightning_fabric import Fabric
from mdepth_ros.training.datasets.catalogue import open_data
from mdepth_ros.training.datasets.kitti.eigen import read_eigen
from mdepth_ros.training.datasets.kitti.raw import is_kitti, open_kitti, open_kitti_list
from mdepth_ros.training.datasets.sequence import DataError, Sequence
from mdepth_ros.training.datasets.sequence_part import SequencePart
from mdepth_ros.training.loop.loop import Samples
from mdepth_ros.training.loop.recipe import DataConfig, Recipe, SYNTHETIC
from mdepth_ros.training.samples.loader import FolderSamples
from mdepth_ros.training.samples.neighbours import find_triplets
from mdepth_ros.training.samples.synthetic_samples import SyntheticSamples
from mdepth_ros.training.scenes.config import Kind

# What a run remembers of its frames.
NEIGHBOURS = 'neighbours.json'
# Fewer frames than this at a sequence's end say nothing about it.
FEWEST_HELD_BACK = 5


@dataclass(frozen=True)
class Parts:
    """Sequences to learn from, and sequences held back to see how well it goes."""

    learn: list[Sequence]
    held_back: list[Sequence]


def open_parts(config: DataConfig) -> Parts:
    """
    Open the data and hold back the end of each sequence.

    :param config: data on disk.
    :return: both parts; nothing is held back where the sequences are too short.
    :raises DataError: if the data cannot be opened.
    """
    learn, held_back = [], []
    for sequence in _open(config):
        count = round(config.held_back * len(sequence))
        if count < FEWEST_HELD_BACK:
            learn.append(sequence)
            continue
        border = len(sequence) - count
        learn.append(SequencePart(sequence, 0, border))
        held_back.append(SequencePart(sequence, border, len(sequence)))
    return Parts(learn, held_back)


def _open(config: DataConfig) -> list[Sequence]:
    """Open the data, of KITTI what the split says."""
    path, split = Path(config.source), Path(config.split)
    if not config.split:
        return open_data(path, config.first, config.last + 1 or None)
    if not is_kitti(path):
        raise DataError(f'{path} is not KITTI raw, so it has no split {split}')
    if config.first or config.last != -1:
        raise DataError(f'the split {split} says which frames, so data.first and data.last do not')
    if split.suffix == '.json':
        return open_kitti(path, read_eigen(split).training_drives)
    return open_kitti_list(path, split)


def open_samples(recipe: Recipe, fabric: Fabric, folder: Path) -> Samples:
    """
    Make the batches of this process.

    :param recipe: data, batch and seed.
    :param fabric: this process among the others.
    :param folder: keeps what was found out about neighbours.
    :return: the batches.
    :raises DataError: if there is nothing to train on.
    """
    config = recipe.data
    rank, world_size = fabric.global_rank, fabric.world_size
    if config.source.partition(':')[0] == SYNTHETIC:
        return SyntheticSamples(config.width, config.height, recipe.batch, recipe.loop.seed,
                                fabric.device, config.worlds, kind=_kind(config.source),
                                augment=config.augment, rank=rank, world_size=world_size,
                                tracks=config.tracks)
    learn = open_parts(config).learn
    cache = folder / NEIGHBOURS
    # The first process looks at the frames, the others read what it found.
    if fabric.is_global_zero:
        find_triplets(learn, config.gap, cache)
    fabric.barrier()
    neighbours = find_triplets(learn, config.gap, cache, progress=False)
    triplets = [[t for t in found.triplets if s.targets is None or t.target in s.targets]
                for s, found in zip(learn, neighbours)]
    if not any(triplets):
        raise DataError(f'{config.source}: no frame that {config.split} names has neighbours on '
                        'both sides')
    return FolderSamples(learn, triplets, config.width, config.height, recipe.batch,
                         recipe.loop.seed, config.augment, config.workers, rank, world_size,
                         pin_memory=fabric.device.type == 'cuda', tracks=config.tracks)


def _kind(source: str) -> Kind | None:
    """Read the kind of scene from ``synthetic:<kind>``."""
    kind = source.partition(':')[2]
    if kind not in ('', *get_args(Kind)):
        raise DataError(f'{source!r}: kind of scene must be one of {", ".join(get_args(Kind))}')
    return kind or None  # type: ignore[return-value]
