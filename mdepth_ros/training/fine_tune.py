"""Settings for a recording and nothing else: what suits its camera and this machine."""

import dataclasses
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from mdepth_ros.engine.preprocess import Preprocessor, network_size
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS, load_checkpoint
from mdepth_ros.training.datasets import sequence as data
from mdepth_ros.training.datasets.catalogue import open_data
from mdepth_ros.training.loop.loop import LoopOptions
from mdepth_ros.training.loop.open_samples import open_parts
from mdepth_ros.training.loop.recipe import DataConfig, Devices, Recipe
from mdepth_ros.training.loop.record import Record
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.loop.trainer import train
from mdepth_ros.training.neighbours import find_triplets
from mdepth_ros.training.stages.search_width import Search
from mdepth_ros.training.stages.single_frame import to_depth

# Pixels of the networks' input: what a GPU trains with in minutes, and what a CPU does.
GPU_PIXELS, CPU_PIXELS = 640 * 192, 256 * 160
GPU_BATCH, CPU_BATCH = 12, 4
# A camera that is known already needs to see its frames a few times, not twenty.
EPOCHS = 12
FEWEST_STEPS = 200
# Faster, and Adam's first steps undo what the start knew.
RATE, WARM_UP = 3e-5, 50
HELD_BACK = 0.1
TIMED_STEPS = 6
ANCHOR_FRAMES = 16


@dataclass(frozen=True)
class Budget:
    """At most so many minutes of training."""

    minutes: float = 30.0


def choose_recipe(path: Path, start: str, budget: Budget, seed: int = 0) -> Recipe:
    """
    Choose settings for a camera, a number of frames and this machine.

    Fine-tuning is stage 1 from weights that see already, with their batch statistics: small
    batches have poor ones.

    :param path: frames folder, or a tree of them.
    :param start: weights, as in :class:`Recipe`.
    :param budget: of time; the steps are what this machine does in it.
    :param seed: of all randomness.
    :return: the recipe.
    :raises DataError: if there is nothing to train on.
    """
    cuda = torch.cuda.is_available()
    camera = open_data(path)[0].camera
    width, height = network_size(camera.width, camera.height, GPU_PIXELS if cuda else CPU_PIXELS)
    cores = len(os.sched_getaffinity(0))
    config = DataConfig(str(path), width, height, held_back=HELD_BACK,
                        workers=min(8, cores - 1) if cuda else 0)
    learn = open_parts(config).learn
    count = sum(len(found.triplets) for found in find_triplets(learn))
    batch = GPU_BATCH if cuda else CPU_BATCH
    recipe = Recipe(
        config, start=start, batch=batch, anchor_depth=_mean_depth(start, learn, width, height),
        teacher=Schedule(max(FEWEST_STEPS, EPOCHS * count // batch), rate=RATE,
                         warm_up=WARM_UP),
        search=Search(delta=0.0, hold=0.0),
        loop=LoopOptions(seed=seed, freeze_batch_norm=True, pictures_every=100),
        devices=Devices())
    affordable = int(60 * budget.minutes / seconds_per_step(recipe))
    steps = max(1, min(recipe.teacher.steps, affordable))
    return dataclasses.replace(
        recipe, teacher=dataclasses.replace(recipe.teacher, steps=steps))


def _mean_depth(
    start: str, sequences: Sequence[data.Sequence], width: int, height: int
) -> float:
    """Geometric mean of the start's single-frame depth over some frames [m]."""
    model = load_checkpoint(DEFAULT_WEIGHTS if start == 'default' else Path(start))
    logarithms = []
    for sequence in sequences:
        preprocess = Preprocessor(sequence.camera, width, height, rectify=False)
        for index in np.linspace(0, len(sequence) - 1, ANCHOR_FRAMES).astype(int):
            with torch.no_grad():
                disparity = model.single(preprocess(sequence.rgb(int(index))))
            logarithms.append(to_depth(disparity, model.config).log().mean())
    return round(float(torch.stack(logarithms).mean().exp()), 3)


def seconds_per_step(recipe: Recipe) -> float:
    """
    Measure what a step takes here.

    :param recipe: its first stage is run for a few steps, in a folder of its own.
    :return: seconds, the start left out.
    """
    trial = dataclasses.replace(recipe, teacher=Schedule(TIMED_STEPS, rate=RATE),
                                loop=LoopOptions(log_every=1, freeze_batch_norm=True))
    with tempfile.TemporaryDirectory() as folder:
        train(trial, Path(folder) / 'trial')
        lines = Record(Path(folder) / 'trial' / 'record.jsonl').lines()
    seconds = [3 * recipe.batch * (line['step'] + 1) / line['images per second'] for line in lines]
    return (seconds[-1] - seconds[1]) / (len(seconds) - 2)
