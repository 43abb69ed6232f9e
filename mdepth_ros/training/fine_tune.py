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

"""Settings for a recording and nothing else: what suits its camera and this machine."""

import dataclasses
from dataclasses import dataclass
import os
from pathlib import Path
import shutil
import tempfile

from mdepth_ros.engine.preprocess import network_size
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.datasets.catalogue import open_data
from mdepth_ros.training.loop.loop import LoopOptions
from mdepth_ros.training.loop.open_samples import NEIGHBOURS, open_parts
from mdepth_ros.training.loop.recipe import DataConfig, dump_recipe, load_recipe, Recipe
from mdepth_ros.training.loop.record import Record
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.loop.start import start_weights
from mdepth_ros.training.loop.trainer import train
from mdepth_ros.training.samples.neighbours import find_triplets
from mdepth_ros.training.stages.search_width import Search
import torch

# Pixels of the networks' input: what a GPU trains with in minutes, and what a CPU does.
GPU_PIXELS, CPU_PIXELS = 640 * 192, 256 * 160
GPU_BATCH, CPU_BATCH = 12, 4
# A camera that is known already needs to see its frames a few times, not twenty.
EPOCHS = 12
FEWEST_STEPS = 200
# Faster, and Adam's first steps undo what the start knew.
RATE, WARM_UP = 5e-5, 50
# As much as the images and the points say together where they agree, see :func:`departure`.
HOLD_START = 0.1
HELD_BACK = 0.1
TIMED_STEPS = 5
TRIAL = 'timing'


@dataclass(frozen=True)
class Request:
    """
    What the user asked for.

    Weights to ``start`` from, a file or ``default``; at most so many ``minutes`` of training;
    ``settings`` of the recipe, ``key=value``, that win over ours.
    """

    start: str = 'default'
    minutes: float = 30.0
    settings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.minutes > 0:
            raise MdepthError(f'minutes must be > 0, got {self.minutes:g}')

    def check(self) -> None:
        """
        Refuse early what would fail once the recording is prepared.

        :raises MdepthError: if a setting is unknown or wrong, or the weights cannot be read.
        """
        changed = self.change(Recipe(DataConfig('.'), start=self.start, teacher=Schedule(1)))
        if changed.start == 'imagenet':
            raise MdepthError('a recording is too short to learn to see from: start from default '
                              'or a weights file, or write a recipe that starts from imagenet')
        start_weights(changed)

    def change(self, recipe: Recipe) -> Recipe:
        """
        Apply the settings.

        :raises MdepthError: if one is unknown or wrong.
        """
        if not self.settings:
            return recipe
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'recipe.yaml'
            dump_recipe(recipe, path)
            try:
                return load_recipe(path, self.settings)
            except MdepthError as error:
                problem = str(error).removeprefix(f'{path}: ')
                raise MdepthError(f'{" ".join(self.settings)}: {problem}') from error

    def sets(self, key: str) -> bool:
        """Tell whether the settings name a key, or a part of it."""
        return any(word.startswith((f'{key}=', f'{key}.')) for word in self.settings)


def choose_recipe(path: Path, folder: Path, request: Request, seed: int = 0) -> Recipe:
    """
    Choose settings for a camera, a number of frames and this machine.

    Fine-tuning is stage 1 from weights that see already, with their batch statistics: small
    batches have poor ones.

    :param path: frames folder, or a tree of them.
    :param folder: of the run; takes what is found out about neighbours.
    :param request: what the user asked for.
    :param seed: of all randomness.
    :return: the recipe; its steps are what this machine does in the time.
    :raises DataError: if there is nothing to train on.
    :raises MdepthError: if the weights cannot be read, or the user's settings do not fit.
    """
    recipe = request.change(_common(path, request.start, seed))
    learn = open_parts(recipe.data).learn
    if request.sets('teacher.steps'):
        return recipe
    folder.mkdir(parents=True, exist_ok=True)
    found = find_triplets(learn, recipe.data.gap, folder / NEIGHBOURS)
    samples = sum(len(neighbours.triplets) for neighbours in found)
    affordable = int(60 * request.minutes / seconds_per_step(recipe, folder))
    useful = max(FEWEST_STEPS, EPOCHS * samples // recipe.batch)
    return _with_steps(recipe, max(1, min(useful, affordable)))


def seconds_per_step(recipe: Recipe, folder: Path) -> float:
    """
    Measure what a step takes here.

    :param recipe: its first stage is run for a few steps.
    :param folder: of the run; the trial has a folder of its own in it, which does not stay.
    :return: seconds, the start left out.
    """
    trial = dataclasses.replace(_with_steps(recipe, TIMED_STEPS), student=Schedule(0),
                                refine=Schedule(0),
                                loop=dataclasses.replace(recipe.loop, log_every=1))
    place = folder / TRIAL
    # A process that was killed leaves it behind.
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    if (folder / NEIGHBOURS).is_file():
        shutil.copy(folder / NEIGHBOURS, place)
    try:
        train(trial, place)
        lines = Record(place / 'record.jsonl').lines()
    finally:
        shutil.rmtree(place, ignore_errors=True)
    seconds = [3 * recipe.batch * (line['step'] + 1) / line['images per second'] for line in lines]
    return (seconds[-1] - seconds[1]) / (len(seconds) - 2)


def _common(path: Path, start: str, seed: int) -> Recipe:
    """Return what does not depend on frames and time."""
    cuda = torch.cuda.is_available()
    camera = open_data(path)[0].camera
    width, height = network_size(camera.width, camera.height, GPU_PIXELS if cuda else CPU_PIXELS)
    workers = min(8, len(os.sched_getaffinity(0)) - 1) if cuda else 0
    return Recipe(
        # Absolute: the run may be gone on with from another folder.
        DataConfig(str(path.resolve()), width, height, held_back=HELD_BACK, workers=workers),
        start=start, batch=GPU_BATCH if cuda else CPU_BATCH,
        teacher=Schedule(FEWEST_STEPS, rate=RATE, warm_up=WARM_UP),
        hold_start=HOLD_START, search=Search(delta=0.0, hold=0.0),
        loop=LoopOptions(seed=seed, freeze_batch_norm=True, pictures_every=100))


def _with_steps(recipe: Recipe, steps: int) -> Recipe:
    """Return the same with another number of steps."""
    return dataclasses.replace(recipe, teacher=dataclasses.replace(recipe.teacher, steps=steps))
