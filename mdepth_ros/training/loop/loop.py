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

"""Around a stage's loop: devices, batches, saved states, logs, and when to give up."""

from collections.abc import Iterator
from dataclasses import dataclass
import math
from pathlib import Path
import sys
import time
from typing import Any, Protocol

from lightning_fabric import Fabric
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.loop.batch_statistics import BatchStatistics
from mdepth_ros.training.loop.board import Board
from mdepth_ros.training.loop.record import Record
from mdepth_ros.training.loop.saved_state import load_state, save_state, SavedState
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.ranks.rank_batch_norm import synchronise_batch_norm
from mdepth_ros.training.ranks.reduction import max_over_ranks, mean_over_ranks
from mdepth_ros.training.stages.objective import Objective, StepResult
from mdepth_ros.training.stages.step_random import later_seed, StepRandom
import torch
from torch import Tensor
from tqdm import tqdm

STATE = 'state.pt'
# Longer gradients are scaled down: a single bad batch must not undo an hour.
LONGEST_GRADIENT = 10.0
# So many steps without a finite loss in a row, and the networks are beyond recovery.
PATIENCE = 20


class Samples(Protocol):
    """Where batches come from: named tuples with ``frames``, (B, N, 3, H, W)."""

    def batches(self, first_step: int) -> Iterator[Any]:
        """Return endless batches of this process; that of a step depends on the step alone."""


@dataclass(frozen=True)
class LoopOptions:
    """
    What a loop does besides its steps.

    ``seed`` of all randomness; a state is saved every ``save_every_s`` [s], numbers are written
    every ``log_every`` steps and pictures every ``pictures_every``. ``freeze_batch_norm`` keeps
    the statistics of the start.
    """

    seed: int = 0
    save_every_s: float = 120.0
    log_every: int = 20
    pictures_every: int = 500
    freeze_batch_norm: bool = False

    def __post_init__(self) -> None:
        problems = [f'{name} must be at least {least}, got {getattr(self, name)}'
                    for name, least in (('seed', 0), ('save_every_s', 0), ('log_every', 1),
                                        ('pictures_every', 1))
                    if not getattr(self, name) >= least]
        if problems:
            raise ValueError('loop: ' + '; '.join(problems))


class Loop:
    """
    What all stages of a run share.

    :param fabric: devices and precision, already launched.
    :param samples: batches of the stages that bring none of their own; None if all do.
    :param folder: takes ``state.pt``, ``record.jsonl`` and TensorBoard's files.
    :param options: how often what happens.
    """

    def __init__(
        self, fabric: Fabric, samples: Samples | None, folder: Path, options: LoopOptions
    ) -> None:
        self.fabric, self.samples, self.folder, self.options = fabric, samples, folder, options
        self.round = 1

    @property
    def state_path(self) -> Path:
        """Return the file of the unfinished stage's state."""
        return self.folder / STATE

    def random(self, step: int) -> StepRandom:
        """Return what a step draws, in each round something else."""
        return StepRandom(later_seed(self.options.seed, self.round - 1), step,
                          self.fabric.global_rank, self.fabric.world_size)

    def begin(
        self, name: str, model: DepthModel, objective: Objective, schedule: Schedule,
        samples: Samples | None = None,
    ) -> 'Stage':
        """
        Begin a stage, or go on with it where a saved state is its own.

        :param name: of the stage.
        :param model: whose state is saved; part of ``objective``.
        :param objective: the loss; what of it is not frozen learns.
        :param schedule: steps and learning rate.
        :param samples: the stage's own, if not those of the loop.
        :return: the stage.
        :raises MdepthError: if a saved state cannot be read.
        """
        samples = samples or self.samples
        if samples is None:
            raise ValueError(f'{name}: samples must be given, got none')
        return Stage(self, f'{name}-{self.round}', model, objective, schedule, samples)


class Stage:
    """One stage of a loop, see :meth:`Loop.begin`."""

    def __init__(
        self, loop: Loop, name: str, model: DepthModel, objective: Objective, schedule: Schedule,
        samples: Samples,
    ) -> None:
        self.name, self._loop, self._model, self._schedule = name, loop, model, schedule
        self._samples = samples
        fabric = loop.fabric
        state = load_state(loop.state_path)
        if state is not None and state.stage == name:
            model.load_state_dict(state.model)
            self._first, self._skipped = state.step, state.skipped
        else:
            state, self._first, self._skipped = None, 0, 0
        synchronise_batch_norm(objective, fabric.device)
        # After that: what is frozen must be the modules that run.
        if loop.options.freeze_batch_norm:
            objective.freeze_batch_norm()
        learning = [p for p in objective.parameters() if p.requires_grad]
        self.objective, self._optimiser = fabric.setup(
            objective.train(), torch.optim.Adam(learning, lr=schedule.rate))
        if state is not None:
            self._optimiser.load_state_dict(state.optimiser)
        self._statistics = BatchStatistics(objective)
        self._record = Record(loop.folder / 'record.jsonl')
        self._skipped_in_a_row = 0
        self._board: Board | None = None
        if fabric.is_global_zero:
            self._record.rewind(name, self._first)
            self._board = Board(loop.folder / 'tensorboard' / name, self._first)

    def batches(self) -> Iterator[tuple[int, Any]]:
        """
        Return the steps that are left, with their batches on the device; saves now and then.

        :raises MdepthError: if a frame or the state cannot be read or written.
        """
        fabric, steps = self._loop.fabric, self._schedule.steps
        # A round goes on where the one before ended.
        earlier = (self._loop.round - 1) * steps
        samples = self._samples.batches(earlier + self._first)
        saved = self._began = time.monotonic()
        self._bar = tqdm(range(self._first, steps), initial=self._first, total=steps,
                         desc=self.name, unit='step', disable=not fabric.is_global_zero,
                         mininterval=0.5 if sys.stderr.isatty() else 30.0)
        for step in self._bar:
            for group in self._optimiser.param_groups:
                group['lr'] = self._schedule.rate_at(step)
            batch = fabric.to_device(next(samples))
            self._images = batch.frames.shape[0] * batch.frames.shape[1] * fabric.world_size
            yield step, batch
            if time.monotonic() - saved > self._loop.options.save_every_s:
                self._save(step + 1)
                saved = time.monotonic()
        if self._board is not None:
            self._board.close()

    def descend(self, loss: Tensor) -> bool:
        """
        Do one step of the optimiser.

        :param loss: scalar.
        :return: whether it was done; a loss or gradient that is not finite is skipped and counted.
        :raises MdepthError: after many of these in a row.
        """
        self._optimiser.zero_grad()
        if not self._backward(loss):
            self._skipped += 1
            self._skipped_in_a_row += 1
            self._statistics.restore()
            if self._skipped_in_a_row >= PATIENCE:
                raise MdepthError(
                    f'{self.name}: {PATIENCE} steps in a row without a finite gradient; lower '
                    f'the learning rate (now {self._schedule.rate}) in '
                    f'{self._loop.folder / "recipe.yaml"} and go on from the last saved state '
                    'with that recipe and --resume')
            return False
        self._skipped_in_a_row = 0
        self._optimiser.step()
        self._statistics.keep()
        return True

    def _backward(self, loss: Tensor) -> bool:
        """Compute the gradient; tells, alike in all processes, whether it is finite."""
        # Not without a finite loss: on the CPU, torch's gradient of sampling an image with a
        # repeated border at NaN reads memory that is not its own.
        if max_over_ranks((~loss.detach().isfinite()).float()) > 0:
            return False
        self._loop.fabric.backward(loss)
        length = self._loop.fabric.clip_gradients(
            self.objective, self._optimiser, max_norm=LONGEST_GRADIENT, error_if_nonfinite=False)
        assert length is not None
        return math.isfinite(float(length))

    def report(self, step: int, result: StepResult) -> None:
        """
        Write numbers and pictures when it is time.

        :param step: that was done.
        :param result: what it gave.
        """
        options = self._loop.options
        if step % options.log_every == 0 or step + 1 == self._schedule.steps:
            names = ['loss', *result.terms]
            terms = (result.loss, *result.terms.values())
            values = torch.stack([term.detach().float() for term in terms])
            self._write(step, dict(zip(names, mean_over_ranks(values).tolist())))
        if self._board is not None and step % options.pictures_every == 0:
            self._board.pictures(step, result, self._model.multi.delta)

    def _write(self, step: int, values: dict[str, float]) -> None:
        """Put numbers into the record, on the board and beside the progress bar."""
        if self._board is None:
            return
        done = step + 1 - self._first
        self._bar.set_postfix(loss=f'{values["loss"]:.4f}', refresh=False)
        values |= {'learning rate': self._schedule.rate_at(step), 'skipped': float(self._skipped),
                   'delta': float(self._model.multi.delta.mean()),
                   'images per second': done * self._images / (time.monotonic() - self._began)}
        self._board.scalars(step, values)
        self._record.add({'stage': self.name, 'step': step} | values)

    def _save(self, step: int) -> None:
        """Save the state; never one whose networks are beyond recovery."""
        if self._skipped_in_a_row or not self._loop.fabric.is_global_zero:
            return
        save_state(SavedState(self.name, step, self._skipped, self._model.state_dict(),
                              self._optimiser.state_dict()), self._loop.state_path)
