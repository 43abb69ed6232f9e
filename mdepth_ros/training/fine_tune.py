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
import time

from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.preprocess import network_size
from mdepth_ros.errors import MdepthError, writing
from mdepth_ros.training.datasets.catalogue import open_data
from mdepth_ros.training.evaluation.temporal_error import COMPARED_FRAMES
from mdepth_ros.training.loop.loop import LoopOptions
from mdepth_ros.training.loop.open_samples import NEIGHBOURS, open_parts
from mdepth_ros.training.loop.recipe import (
    DataConfig,
    dump_recipe,
    load_recipe,
    Recipe,
    STAGES,
)
from mdepth_ros.training.loop.record import Record
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.loop.start import start_weights
from mdepth_ros.training.loop.trainer import train
from mdepth_ros.training.own_depth import choose_clips, Clip, teach
from mdepth_ros.training.samples.neighbours import find_triplets
from mdepth_ros.training.stages.search_width import Search
import torch

# The size that the engine chooses.
PIXELS = EngineConfig().pixel_budget
# What the estimator makes of a frame is better once S-DepthNet has learned from it.
ROUNDS = 4
# In each round; a camera that is known already needs to see its frames a few times, not twenty.
EPOCHS, BATCH = 6, 8
FEWEST_STEPS = 200
# Of M-DepthNet in each round.
REFINE_STEPS = 40
# Adam's first steps undo what the start knew.
RATE, WARM_UP = 2e-4, 30
REFINE_RATE, REFINE_WARM_UP = 1e-4, 10
# For a teacher's stage, if the user asks for one, see :func:`departure`.
HOLD_START = 0.1
HELD_BACK = 0.1
TIMED_STEPS, TIMED_FRAMES = 5, 20
TRIAL = 'timing'


@dataclass(frozen=True)
class Request:
    """
    What the user asked for.

    Weights to ``start`` from, a file or ``default``; at most so many ``minutes`` for training and
    all around it, once the recording is prepared; ``settings`` of the recipe, ``key=value``, that
    win over ours and over the minutes.
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
        recipe = Recipe(
            DataConfig('.', held_back=HELD_BACK), start=self.start, teacher=Schedule(1),
            distil=Schedule(1), refine=Schedule(1), keep_refined='steadier')
        changed = self.change(recipe)
        if changed.start == 'imagenet':
            raise MdepthError('a recording is too short to learn to see from: start from default '
                              'or a weights file, or write a recipe that starts from imagenet')
        self.change(dataclasses.replace(recipe, teacher=Schedule(0)))
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
        """Tell whether the settings name a key, a part of it, or what it is a part of."""
        named = [word.partition('=')[0] for word in self.settings]
        return any(f'{name}.'.startswith(f'{key}.') or key.startswith(f'{name}.')
                   for name in named)


def choose_recipe(path: Path, request: Request, seed: int = 0) -> Recipe:
    """
    Choose settings for a camera and this machine.

    S-DepthNet learns the depth that the estimator gives for the frames, round after round, with
    the batch statistics of the start: small batches have poor ones. M-DepthNet learns from the
    images around each, which makes it better in a room and spoils it on a plain road: it stays
    what it was where the depth gets less steady.

    :param path: frames folder, or a tree of them.
    :param request: what the user asked for.
    :param seed: of all randomness.
    :return: the recipe; how many steps and rounds it has is for :func:`fit_steps` to say.
    :raises DataError: if there is nothing to train on.
    :raises MdepthError: if the user's settings do not fit.
    """
    recipe = request.change(_common(path, request.start, seed))
    if recipe.keep_refined == 'steadier' and not open_parts(recipe.data).held_back:
        # Nobody could tell whether `refine` helps.
        if not any(getattr(recipe, stage).steps for stage in STAGES if stage != 'refine'):
            raise MdepthError(f'{path} is too short to hold frames back, which refine needs, and '
                              'no other stage has steps: record more, give distil.steps, or ask '
                              'for keep_refined=always')
        recipe = _with_steps(recipe, 'refine', 0)
    return recipe


def fit_steps(recipe: Recipe, request: Request, folder: Path, left_s: float) -> Recipe:
    """
    Give the rounds the steps that this machine does in the time, but not more than are useful.

    ``distil`` and ``refine`` share it, ``teacher`` and ``student`` keep their steps, and so do
    ``refine`` and the rounds where the user says how many.

    :param recipe: from :func:`choose_recipe`.
    :param request: that it was chosen for; it does not set ``distil.steps``.
    :param folder: of the run.
    :param left_s: for measuring and training [s].
    :return: the recipe, with at least one round and one step of each.
    """
    parts = open_parts(recipe.data)
    learn = parts.learn
    clips = choose_clips(learn, recipe.distil_frames)
    frames = sum(len(clip.indices) for clip in clips)
    began_s = time.monotonic()
    if any(getattr(recipe, stage).steps for stage in STAGES if stage != 'distil'):
        # For the trials and the run, whose stages would each look for them.
        find_triplets(learn, recipe.data.gap, folder / NEIGHBOURS)
    left_s -= time.monotonic() - began_s
    began_s = time.monotonic()
    step_s = {stage: seconds_per_step(recipe, stage, folder) for stage in STAGES
              if getattr(recipe, stage).steps}
    # Before and after `refine`, the frames that are held back are played one way.
    compared = sum(min(len(part), COMPARED_FRAMES) for part in parts.held_back
                   ) if recipe.refine.steps and recipe.keep_refined == 'steadier' else 0
    longest = max(clips, key=lambda clip: len(clip.indices))
    play_s = (frames + compared) * seconds_per_frame(recipe, longest)
    # What the trials took besides their steps the run takes, too: loading, and the first steps.
    left_s -= 2 * (time.monotonic() - began_s)
    left_s -= recipe.teacher.steps * step_s.get('teacher', 0.0)
    wanted = {'distil': max(FEWEST_STEPS, EPOCHS * frames // recipe.batch)}
    given = {'student': recipe.student.steps}
    asked = given if request.sets('refine.steps') else wanted
    asked['refine'] = recipe.refine.steps
    wanted_s, given_s = (sum(steps * step_s.get(stage, 0.0) for stage, steps in some.items())
                         for some in (wanted, given))
    rounds, share = recipe.rounds, 0.0
    fewest = rounds if request.sets('rounds') else 1
    # Fewer rounds rather than many that hardly learn.
    while rounds >= fewest and share < 0.5:
        share = min(1.0, (left_s / rounds - play_s - given_s) / wanted_s)
        rounds -= 1
    recipe = dataclasses.replace(recipe, rounds=rounds + 1)
    for stage, steps in wanted.items():
        if steps:
            recipe = _with_steps(recipe, stage, max(1, int(share * steps)))
    return recipe


def seconds_per_frame(recipe: Recipe, clip: Clip) -> float:
    """
    Measure what the estimator takes for a frame, forwards and backwards.

    :param recipe: of the run.
    :param clip: some frames.
    :return: seconds, loading and the first frames left out.
    """
    config = EngineConfig(recipe.devices.accelerator, width=recipe.data.width,
                          height=recipe.data.height)
    model = start_weights(recipe)

    def seconds(frames: int) -> float:
        began_s = time.monotonic()
        teach(model, [dataclasses.replace(clip, indices=clip.indices[:frames])], config)
        return time.monotonic() - began_s

    first_s = seconds(1)
    few, many = min(2, len(clip.indices) - 1), min(TIMED_FRAMES, len(clip.indices))
    return max(0.0, seconds(many) - seconds(few)) / (many - few) if few else first_s


def seconds_per_step(recipe: Recipe, stage: str, folder: Path) -> float:
    """
    Measure what a step takes here.

    :param recipe: of the run.
    :param stage: its stage that is run for a few steps.
    :param folder: of the run; the trial has a folder of its own in it, which does not stay.
    :return: seconds, the start left out.
    :raises MdepthError: if the disk does not take it, or as the stage does.
    """
    trial = dataclasses.replace(recipe, rounds=1, distil_frames=TIMED_FRAMES,
                                keep_refined='always',
                                loop=dataclasses.replace(recipe.loop, log_every=1))
    for other in STAGES:
        trial = _with_steps(trial, other, TIMED_STEPS if other == stage else 0)
    place = folder / TRIAL
    # A process that was killed leaves it behind.
    shutil.rmtree(place, ignore_errors=True)
    try:
        with writing(place):
            place.mkdir(parents=True)
            if (folder / NEIGHBOURS).is_file():
                shutil.copy(folder / NEIGHBOURS, place)
        train(trial, place)
        lines = Record(place / 'record.jsonl').lines()
    finally:
        shutil.rmtree(place, ignore_errors=True)
    images = recipe.batch * (1 if stage == 'distil' else 3)
    seconds = [images * (line['step'] + 1) / line['images per second'] for line in lines]
    return (seconds[-1] - seconds[1]) / (len(seconds) - 2)


def _common(path: Path, start: str, seed: int) -> Recipe:
    """Return what does not depend on frames and time."""
    cuda = torch.cuda.is_available()
    camera = open_data(path)[0].camera
    width, height = network_size(camera.width, camera.height, PIXELS)
    workers = min(8, len(os.sched_getaffinity(0)) - 1) if cuda else 0
    return Recipe(
        # Absolute: the run may be gone on with from another folder.
        DataConfig(str(path.resolve()), width, height, held_back=HELD_BACK, workers=workers),
        start=start, batch=BATCH, distil=Schedule(FEWEST_STEPS, rate=RATE, warm_up=WARM_UP),
        refine=Schedule(REFINE_STEPS, rate=REFINE_RATE, warm_up=REFINE_WARM_UP),
        keep_refined='steadier', rounds=ROUNDS, hold_start=HOLD_START,
        search=Search(delta=0.0, hold=0.0),
        loop=LoopOptions(seed=seed, freeze_batch_norm=True, pictures_every=100))


def _with_steps(recipe: Recipe, stage: str, steps: int) -> Recipe:
    """Return the same with another number of steps of a stage."""
    schedule = dataclasses.replace(getattr(recipe, stage), steps=steps)
    return dataclasses.replace(recipe, **{stage: schedule})
