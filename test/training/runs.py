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

"""Small training runs on rendered frames, for the tests of stages, loop and ranks."""

import dataclasses
import json

from mdepth_ros.config import lite_config
from mdepth_ros.networks.checkpoint import save_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.datasets.frames_folder import open_frames
from mdepth_ros.training.loop.loop import LoopOptions
from mdepth_ros.training.loop.recipe import DataConfig, Devices, Recipe
from mdepth_ros.training.samples.loader import FolderSamples
from mdepth_ros.training.samples.neighbours import choose_neighbours
import torch

SIZE = 64


def tiny_model(seed=0, **changes):
    """Random networks of the lite profile for 64 x 64 images."""
    torch.manual_seed(seed)
    return DepthModel(dataclasses.replace(lite_config(), width=SIZE, height=SIZE, **changes))


def tiny_start(folder, config=None):
    """Write a weights file with random networks of a configuration."""
    torch.manual_seed(0)
    path = folder / 'start.safetensors'
    config = dataclasses.replace(config or lite_config(), width=SIZE, height=SIZE)
    save_checkpoint(DepthModel(config), path)
    return path


def make_recipe(frames, start, **changes):
    """One process on the CPU, batch 4, a line in the record for each step."""
    loop = LoopOptions(**{'log_every': 1, 'pictures_every': 1000, **changes.pop('loop', {})})
    data = DataConfig(str(frames), SIZE, SIZE, gap=1, workers=0)
    return Recipe(data, start=str(start), loop=loop, **{
        'batch': 4, 'devices': Devices('cpu', processes=1), **changes})


def make_samples(frames, batch=4, **options):
    """Augmented batches of a frames folder."""
    sequences = open_frames(frames)
    triplets = [choose_neighbours(sequence, 1).triplets for sequence in sequences]
    return FolderSamples(sequences, triplets, SIZE, SIZE, batch, seed=0, **options)


def first_batch(frames, batch=4):
    """Return the batch of step 0."""
    return next(make_samples(frames, batch).batches())


def read_losses(folder):
    """Read the record without what depends on the clock."""
    lines = [json.loads(line) for line in (folder / 'record.jsonl').read_text().splitlines()]
    for line in lines:
        del line['images per second']
    return lines
