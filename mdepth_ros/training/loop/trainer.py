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

"""A whole run: the stages of a recipe, one after the other, from where they stand."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from functools import partial
import logging
import os
from pathlib import Path
from typing import Any
import warnings

from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from mdepth_ros.config import EngineConfig
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.checkpoint import load_checkpoint, save_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.child_processes import end_with_parent, ending_children
from mdepth_ros.training.evaluation.temporal_error import temporal_error
from mdepth_ros.training.loop.exact_inputs import ExactInputs
from mdepth_ros.training.loop.loop import Loop, STATE
from mdepth_ros.training.loop.open_samples import open_parts, open_samples
from mdepth_ros.training.loop.recipe import Devices, dump_recipe, load_recipe, Recipe
from mdepth_ros.training.loop.start import start_model
from mdepth_ros.training.own_depth import choose_clips
from mdepth_ros.training.stages.distil import train_distil
from mdepth_ros.training.stages.refine import refine
from mdepth_ros.training.stages.step_random import later_seed
from mdepth_ros.training.stages.student import train_student
from mdepth_ros.training.stages.teacher import train_teacher
import torch
from torch import multiprocessing
from torch.multiprocessing.spawn import ProcessRaisedException

RECIPE = 'recipe.yaml'
RESULT = 'model.safetensors'
# The others wait for what the first process does alone, at the beginning and between stages.
ALONE = timedelta(days=1)
# It greets from every process.
logging.getLogger('lightning_fabric').setLevel(logging.WARNING)


def train(recipe: Recipe, folder: Path, resume: bool = False) -> Path:
    """
    Run a recipe.

    :param recipe: what to do.
    :param folder: takes weights of each stage, saved states, logs.
    :param resume: go on with the run that is there; it must have the same recipe.
    :return: the weights file of the last stage.
    :raises MdepthError: if the folder holds a run and ``resume`` is not set, or another recipe,
        or what data, weights and disk raise.
    """
    fabric = make_fabric(recipe.devices, recipe.batch)
    if speaks_for_all():
        claim(recipe, folder, resume)
    problems = multiprocessing.get_context('spawn').SimpleQueue()
    try:
        with ending_children():
            fabric.launch(_run, folder, problems)  # type: ignore[arg-type]
    except ProcessRaisedException:
        if problems.empty():
            raise
        raise problems.get() from None
    return folder / RESULT


def speaks_for_all() -> bool:
    """Whether this is the one of torchrun's processes that writes and prints; it is without."""
    return int(os.environ.get('RANK', 0)) == 0


def claim(recipe: Recipe, folder: Path, resume: bool) -> None:
    """
    Make the folder this run's own.

    A recipe whose run saved nothing, such as one that names no data, is replaced.

    :param recipe: written into the folder.
    :param folder: made if it is not there.
    :param resume: whether a run of the same recipe may be there.
    :raises MdepthError: if there is one and it may not, or another one.
    """
    path = folder / RECIPE
    saved = (folder / STATE).is_file() or any(folder.glob('*.safetensors'))
    if not (path.is_file() and saved):
        dump_recipe(recipe, path)
        return
    if not resume:
        raise MdepthError(f'{folder} holds a training run: go on with it with --resume, or choose '
                          'another folder with --out')
    if load_recipe(path) != recipe:
        raise MdepthError(f'{folder} holds a run of another recipe, see {path}')


def make_fabric(devices: Devices, batch: int) -> Fabric:
    """
    Choose devices and precision.

    :param devices: what the recipe says.
    :param batch: of all processes together, which divide it evenly.
    :return: not launched yet.
    :raises MdepthError: if the accelerator is absent, or the batch cannot be divided.
    """
    cuda = torch.cuda.is_available() and devices.accelerator != 'cpu'
    if devices.accelerator == 'cuda' and not cuda:
        raise MdepthError('the recipe asks for CUDA, which is not available here')
    # Processes that torchrun started are used as they are.
    started = 'TORCHELASTIC_RUN_ID' in os.environ
    if started:
        processes, world_size = int(os.environ['LOCAL_WORLD_SIZE']), int(os.environ['WORLD_SIZE'])
    else:
        available = torch.cuda.device_count() if cuda else len(os.sched_getaffinity(0))
        processes = world_size = devices.processes or max(
            n for n in range(1, available + 1) if batch % n == 0)
    if batch % world_size:
        raise MdepthError(f'{world_size} processes cannot share a batch of {batch} evenly')
    precision = devices.precision
    if precision == 'auto':
        precision = 'bf16-mixed' if cuda else '32-true'
    strategy: str | DDPStrategy = 'auto'
    if world_size > 1 or started:
        strategy = DDPStrategy(start_method='popen' if started else 'spawn',
                               timeout=ALONE)
    accelerator = 'cuda' if cuda else 'cpu'
    mixed = ExactInputs(precision, accelerator) if precision == 'bf16-mixed' else None
    return Fabric(accelerator=accelerator, devices=processes,
                  num_nodes=world_size // processes, strategy=strategy, plugins=mixed)


def _run(fabric: Fabric, folder: Path, problems: Any) -> None:
    """Do the stages in one of the processes, and tell the one that started it what is wrong."""
    if fabric.world_size > 1:
        end_with_parent()
        # Of depthwise kernels, whose second dimension is 1: any stride does for it.
        warnings.filterwarnings('ignore', 'Grad strides do not match bucket view strides')
    try:
        _run_stages(fabric, folder)
    except MdepthError as error:
        problems.put(error)
        raise


def _run_stages(fabric: Fabric, folder: Path) -> None:
    """Do the stages; the recipe is the one that the folder holds."""
    recipe = load_recipe(folder / RECIPE)
    if fabric.device.type == 'cpu' and 'OMP_NUM_THREADS' not in os.environ:
        # Threads that share a core with another process wait for each other.
        cores = len(os.sched_getaffinity(0))
        torch.set_num_threads(max(1, cores // fabric.world_size))
    warps = recipe.teacher.steps or recipe.student.steps or recipe.refine.steps
    loop = Loop(fabric, open_samples(recipe, fabric, folder) if warps else None, folder,
                recipe.loop)
    model = start_model(recipe, seed=recipe.loop.seed)
    if recipe.teacher.steps:
        model = _stage(loop, 'teacher', model,
                       partial(train_teacher, loop, schedule=recipe.teacher,
                               search=recipe.search, anchor_depth=recipe.anchor_depth,
                               hold_start=recipe.hold_start))
    refines = recipe.refine.steps > 0
    if refines and recipe.keep_refined == 'steadier' and not open_parts(recipe.data).held_back:
        refines = False
        if fabric.is_global_zero:
            print('no refine: the sequences are too short to hold frames back, which would tell '
                  'whether it helps')
    # M-DepthNet and delta go on from where they are.
    search = replace(recipe.search, delta=0.0, hold=0.0)
    for loop.round in range(1, recipe.rounds + 1):
        if recipe.student.steps:
            teacher = model.eval()
            student = start_model(recipe, seed=later_seed(recipe.loop.seed, loop.round))
            model = _stage(loop, 'student', student,
                           partial(train_student, loop, teacher=teacher, schedule=recipe.student,
                                   anchor_depth=recipe.anchor_depth))
        if recipe.distil.steps:
            engine = EngineConfig(fabric.device.type, width=recipe.data.width,
                                  height=recipe.data.height, threads=torch.get_num_threads())
            model = _stage(loop, 'distil', model,
                           partial(train_distil, loop, config=engine, batch=recipe.batch,
                                   clips=choose_clips(open_parts(recipe.data).learn,
                                                      recipe.distil_frames),
                                   schedule=recipe.distil, augment=recipe.data.augment))
        if refines:
            refined = _stage(loop, 'refine', deepcopy(model),
                             partial(refine, loop, schedule=recipe.refine, search=search))
            if recipe.keep_refined == 'always' or _is_steadier(loop, refined, model, recipe):
                model = refined
    if fabric.is_global_zero:
        save_checkpoint(model, folder / RESULT, notes=f'mdepth train, {recipe.data.source}')
        # With what a killed process left behind.
        for path in (loop.state_path, *folder.glob('.*.partial')):
            path.unlink(missing_ok=True)
    fabric.barrier()


def _is_steadier(loop: Loop, after: DepthModel, before: DepthModel, recipe: Recipe) -> bool:
    """
    Compare on the frames that are held back; where they do not tell, nothing is steadier.

    What is chosen by them looks a little better on them than on others.
    """
    better = False
    if loop.fabric.is_global_zero:
        held_back = open_parts(recipe.data).held_back
        config = EngineConfig(loop.fabric.device.type, width=recipe.data.width,
                              height=recipe.data.height)
        was, now = (temporal_error(model.eval(), held_back, config) for model in (before, after))
        better = was is not None and now is not None and now < was
        print(f'round {loop.round}: M-DepthNet is {"the refined one" if better else "left alone"}'
              + (f', depth changes from frame to frame by {now:.4f}, {was:.4f} before'
                 if was is not None and now is not None else ''))
    return bool(loop.fabric.broadcast(better))


def _stage(loop: Loop, name: str, model: DepthModel, work: Callable[[DepthModel], None]
           ) -> DepthModel:
    """Do a stage, or take its result where it was done before."""
    path = loop.folder / f'{name}-{loop.round}.safetensors'
    if not path.is_file():
        work(model)
        if loop.fabric.is_global_zero:
            save_checkpoint(model, path, notes=f'{name}, round {loop.round}')
        loop.fabric.barrier()
    return load_checkpoint(path)
