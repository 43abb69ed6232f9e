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

"""
The loop of stage 0: rendered worlds that come and go, and networks that learn from them.

Started by torchrun, with one thread for each process: two threads of one process wait for each
other. What is interrupted goes on where it was when the same command is given again, and what is
done stays as it is.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
import hashlib
import math
from pathlib import Path
import time
from typing import Any

from mdepth_ros.errors import MdepthError, writing
from mdepth_ros.networks.checkpoint import save_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.loop.batch_statistics import BatchStatistics
from mdepth_ros.training.loop.saved_state import load_state, save_state, SavedState
from mdepth_ros.training.ranks.reduction import max_over_ranks
from mdepth_ros.training.scenes.held_out import learned_seeds
from mdepth_ros.training.scenes.photographs import load_photographs, Photographs
from mdepth_ros.training.stage0.growing_pools import GrowingPools, Pool
import numpy as np
import torch
from torch import distributed, nn, Tensor

SAVE_EVERY = 250
# So many steps without a finite loss or gradient in a row, and the networks are beyond recovery.
PATIENCE = 20
WARM_UP = 100  # steps
# No new worlds in the last steps: there is no time to learn from them.
LAST_WORLDS = 0.95
MOST_GRADIENT = 5.0


def add_arguments(parser: argparse.ArgumentParser, stage: str, rate: float) -> None:
    """
    Declare what all of stage 0 takes.

    :param parser: the parser to fill in.
    :param stage: its name.
    :param rate: default of ``--rate``.
    """
    parser.set_defaults(stage=stage)
    parser.add_argument('--out', type=Path, required=True, help='weights file to write')
    parser.add_argument('--steps', type=int, required=True)
    parser.add_argument('--rate', type=float, default=rate, help='learning rate')
    parser.add_argument('--first', type=int, default=20, help='worlds per size at the start')
    parser.add_argument('--grow-every', type=int, default=7, help='steps of a size per new world')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--photographs', type=Path, metavar='FILE',
                        help='photographs for the surfaces of some worlds, as '
                        'mdepth_ros.training.stage0.photographs collects them')


def read_photographs(arguments: argparse.Namespace) -> Photographs | None:
    """
    Read the photographs that were asked for.

    :param arguments: of :func:`add_arguments`.
    :return: None if none were.
    :raises MdepthError: if there are none in the file.
    """
    return None if arguments.photographs is None else load_photographs(arguments.photographs)


def run(train: Callable[[argparse.Namespace], None], arguments: argparse.Namespace) -> None:
    """
    Train, and end with one line where files or numbers are bad.

    :param train: the training.
    :param arguments: of :func:`add_arguments`.
    :raises SystemExit: with that line.
    """
    try:
        train(arguments)
    except MdepthError as error:
        raise SystemExit(f'error: {error}') from error


@contextmanager
def processes(seed: int) -> Iterator[None]:
    """
    Join torchrun's processes.

    :param seed: of the run; networks that are made from here on start alike in all of them.
    """
    distributed.init_process_group('gloo')
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    try:
        yield
    finally:
        distributed.destroy_process_group()


def train_stage(
    model: DepthModel, parts: nn.Module, optimiser: torch.optim.Optimizer,
    pools: Sequence[Pool], batches: Sequence[int],
    losses: Callable[[Any, np.random.Generator], Mapping[str, Tensor]],
    arguments: argparse.Namespace,
) -> None:
    """
    Train for the steps asked, from the saved state if there is one; nothing if that is the last.

    :param model: is saved.
    :param parts: those of it that learn, or whose batch norms do.
    :param optimiser: of their parameters; its rates are the highest of the schedule.
    :param pools: empty, one for each size of image.
    :param batches: how many of each pool make a batch of this process.
    :param losses: of a batch; that called ``total`` is minimised, the others are for people.
    :param arguments: of :func:`add_arguments`.
    :raises MdepthError: if ``--first`` is smaller than a batch, the saved state is of other
        arguments or cannot be read or written, or after many steps in a row that are not finite.
    """
    if arguments.first < max(batches):
        raise MdepthError(f'--first must be at least {max(batches)}, the largest batch of a '
                          f'process, got {arguments.first}')
    with writing(arguments.out):
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
    rank = distributed.get_rank()
    base = [group['lr'] for group in optimiser.param_groups]
    recipe = _recipe(arguments)
    state_path = arguments.out.with_suffix('.state')
    first = _go_on(parts, optimiser, recipe, state_path)

    def save(step: int, notes: str) -> None:
        save_checkpoint(model, arguments.out, torch.float16, notes)
        # After the weights: at the last step it says that these are done.
        save_state(SavedState(recipe, step, 0, parts.state_dict(), optimiser.state_dict()),
                   state_path)

    if first == arguments.steps and arguments.out.exists():
        return
    statistics, skipped = BatchStatistics(parts), 0
    growing = GrowingPools(
        pools, learned_seeds(arguments.seed, rank), arguments.first, arguments.grow_every,
        last=math.ceil(LAST_WORLDS * arguments.steps))
    if not rank:
        print(f'{recipe}: renders worlds, then goes on at step {first}', flush=True)
    growing.render(first)

    distributed.barrier()
    start, means = time.monotonic(), dict[str, float]()
    for step in range(first, arguments.steps):
        done = step / arguments.steps
        for group, rate in zip(optimiser.param_groups, base):
            group['lr'] = rate * min(1.0, (step + 1) / WARM_UP) * 0.5 * (
                1 + math.cos(math.pi * done))
        # Draws, too, are a matter of the step alone.
        rng = np.random.default_rng([arguments.seed, rank, step])
        torch.manual_seed(int(rng.integers(2 ** 63)))
        batch = growing.at(step).draw(batches[step % len(batches)], rng)
        terms = losses(batch, rng)
        if not _descend(terms['total'], parts, optimiser):
            statistics.restore()
            skipped += 1
            if skipped == PATIENCE:
                raise MdepthError(f'{arguments.out}: {PATIENCE} steps in a row without a finite '
                                  f'gradient; lower --rate, now {arguments.rate}')
            continue
        statistics.keep()
        skipped = 0
        for name, term in terms.items():
            value = float(term.detach())
            means[name] = 0.98 * means.get(name, value) + 0.02 * value
        if rank:
            continue
        if (step + 1) % 50 == 0:
            print(f'step {step + 1}', *(f'{name} {mean:.4f}' for name, mean in means.items()),
                  f'{(time.monotonic() - start) / (step + 1 - first):.3f} s/step', flush=True)
        if (step + 1) % SAVE_EVERY == 0 and step + 1 < arguments.steps:
            save(step + 1, f'{recipe}, after {step + 1}')
    if not rank:
        save(arguments.steps, recipe)


def _go_on(
    parts: nn.Module, optimiser: torch.optim.Optimizer, recipe: str, path: Path
) -> int:
    """Take the saved state, if there is one; return the first step to do."""
    state = load_state(path)
    if state is None:
        return 0
    if state.stage != recipe:
        raise MdepthError(f'{path} is of {state.stage}, not of {recipe}: use another --out, or '
                          'remove it')
    parts.load_state_dict(state.model)
    optimiser.load_state_dict(state.optimiser)
    return state.step


def _recipe(arguments: argparse.Namespace) -> str:
    """All that the result depends on: of files, what is in them."""
    asked = {name: value for name, value in vars(arguments).items()
             if name not in ('stage', 'out') and value is not None}
    asked['processes'] = distributed.get_world_size()
    return ' '.join([arguments.stage] + [
        f'--{name.replace("_", "-")} {_digest(value) if isinstance(value, Path) else value}'
        for name, value in sorted(asked.items())])


def _digest(path: Path) -> str:
    """Begin of the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _descend(loss: Tensor, parts: nn.Module, optimiser: torch.optim.Optimizer) -> bool:
    """Do a step in all processes; False if loss or gradient of any is not finite."""
    optimiser.zero_grad()
    if max_over_ranks((~loss.detach().isfinite()).float()) > 0:
        return False
    loss.backward()
    average_over_processes(parts)
    length = torch.nn.utils.clip_grad_norm_(parts.parameters(), MOST_GRADIENT)
    if not length.isfinite():
        return False
    optimiser.step()
    return True


def average_over_processes(parts: nn.Module) -> None:
    """Replace gradients by their means over all processes."""
    gradients = [p.grad for p in parts.parameters() if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients])):
        gradient.copy_(part.view_as(gradient))
