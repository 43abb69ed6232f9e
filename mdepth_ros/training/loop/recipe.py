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

"""What a training run does: one YAML file, read into frozen dataclasses."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, Literal

from mdepth_ros.config import Encoder
from mdepth_ros.engine.tracked_motion import FEWEST_TRACKS
from mdepth_ros.training.loop.loop import LoopOptions
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.loop.settings_file import read_settings
from mdepth_ros.training.stages.search_width import Search
from mdepth_ros.whole_file import write_whole
import yaml

SYNTHETIC = 'synthetic'
STAGES = ('teacher', 'student', 'distil', 'refine')


def size_problems(width: int, height: int) -> list[str]:
    """
    Check the size of the networks' input for training.

    :param width: [px].
    :param height: [px].
    :return: what is wrong with it.
    """
    return [f'{name} must be a multiple of 32 from 64 on, got {size}'
            for name, size in (('width', width), ('height', height)) if size < 64 or size % 32]


@dataclass(frozen=True)
class DataConfig:
    """
    What is learned from.

    ``source`` is a path that ``open_data`` knows, or ``synthetic`` or ``synthetic:<kind>``.
    Frames ``first`` to ``last`` (included, -1 for the end) are used, counted through all
    sequences, and of each sequence's the last ``held_back`` share only to see how well it goes.
    ``split`` is a file of KITTI's training split. ``gap`` between a target and its sources is a
    number of frames, or ``auto``: as many as give parallax. ``tracks`` points, 20 or more, are
    followed from each target into its sources; 0, the paper's way, leaves motion to the images
    alone. ``worlds`` is how many synthetic worlds there are.
    """

    source: str
    width: int = 640
    height: int = 192
    first: int = 0
    last: int = -1
    held_back: float = 0.0
    split: str = ''
    gap: int | Literal['auto'] = 'auto'
    augment: bool = True
    tracks: int = 64
    workers: int = 2
    worlds: int = 500

    def __post_init__(self) -> None:
        problems = size_problems(self.width, self.height)
        for name, least in (('first', 0), ('last', -1), ('workers', 0), ('worlds', 1)):
            if getattr(self, name) < least:
                problems.append(f'{name} must be at least {least}, got {getattr(self, name)}')
        if self.tracks and self.tracks < FEWEST_TRACKS:
            problems.append(f'tracks must be 0, or at least {FEWEST_TRACKS}, as fewer tell no '
                            f'motion, got {self.tracks}')
        if not 0 <= self.held_back < 1:
            problems.append(f'held_back must be in [0, 1), got {self.held_back}')
        if self.gap != 'auto' and self.gap < 1:
            problems.append(f'gap must be auto or at least 1, got {self.gap}')
        if problems:
            raise ValueError('data: ' + '; '.join(problems))


@dataclass(frozen=True)
class Devices:
    """
    Where it runs.

    In ``processes``, 0 for as many as there are GPUs, or, without one, as divide the batch among
    the cores; torchrun's number of processes and machines counts where that started them.
    ``precision`` as Lightning Fabric names it; ``auto`` is ``bf16-mixed`` on a GPU and
    ``32-true`` elsewhere.
    """

    accelerator: Literal['auto', 'cpu', 'cuda'] = 'auto'
    processes: int = 0
    precision: Literal['auto', '32-true', 'bf16-mixed'] = 'auto'

    def __post_init__(self) -> None:
        if self.processes < 0:
            raise ValueError(f'devices: processes must be at least 0, got {self.processes}')


@dataclass(frozen=True)
class Recipe:
    """
    A training run.

    ``model`` is a profile (``lite``, ``paper``); ``start`` the weights to start from:
    ``imagenet``, ``default`` (those of the package) or a file, whose profile is then taken.
    ``imagenet`` names the public ``.pth`` file of each encoder whose weights do not come with
    the package, ``hrnet18`` and ``resnet18``. The stages are ``teacher``, ``student``, ``distil``,
    which plays about ``distil_frames`` of the frames, and ``refine``; all but the first are
    repeated ``rounds`` times. What ``refine`` gave is kept ``always``, or only if it makes the
    depth of the frames that are held back ``steadier``. ``batch`` is that of all processes
    together. ``anchor_depth`` [m] is where the frames' depth stays in the mean while its scale is
    free; 0, the paper's way, lets it drift. ``hold_start`` is the weight with which S-DepthNet's
    depth stays, in the teacher's stage, what it is with the weights of ``start``; 0 lets it go.
    """

    data: DataConfig
    model: Literal['lite', 'paper'] = 'lite'
    start: str = 'imagenet'
    imagenet: dict[str, str] = field(default_factory=dict)
    batch: int = 12
    teacher: Schedule = field(default_factory=lambda: Schedule(0))
    student: Schedule = field(default_factory=lambda: Schedule(0, rate=1e-4))
    distil: Schedule = field(default_factory=lambda: Schedule(0, rate=2e-4))
    refine: Schedule = field(default_factory=lambda: Schedule(0, rate=1e-4))
    keep_refined: Literal['always', 'steadier'] = 'always'
    distil_frames: int = 600
    rounds: int = 1
    anchor_depth: float = 0.0
    hold_start: float = 0.0
    search: Search = field(default_factory=Search)
    loop: LoopOptions = field(default_factory=LoopOptions)
    devices: Devices = field(default_factory=Devices)

    def __post_init__(self) -> None:
        problems = []
        unknown = sorted(set(self.imagenet) - set(get_args(Encoder)))
        if unknown:
            problems.append(f'imagenet must name encoders of {get_args(Encoder)}, got {unknown}')
        if self.batch < 1:
            problems.append(f'batch must be at least 1, got {self.batch}')
        if not self.anchor_depth >= 0:
            problems.append(f'anchor_depth must be >= 0, got {self.anchor_depth}')
        if not self.hold_start >= 0:
            problems.append(f'hold_start must be >= 0, got {self.hold_start}')
        if self.hold_start and self.start == 'imagenet':
            problems.append('hold_start needs weights to start from, not imagenet')
        if self.refine.steps and self.keep_refined == 'steadier' and not self.data.held_back:
            problems.append('keep_refined must be always where no frames are held back to tell '
                            'by, got steadier')
        if (self.refine.steps and self.keep_refined == 'steadier'
                and self.data.source.partition(':')[0] == SYNTHETIC):
            problems.append('keep_refined must be always with synthetic scenes, of which no '
                            'frames are held back, got steadier')
        if self.distil_frames < 1:
            problems.append(f'distil_frames must be at least 1, got {self.distil_frames}')
        if self.rounds < 1:
            problems.append(f'rounds must be at least 1, got {self.rounds}')
        if not any(getattr(self, stage).steps for stage in STAGES):
            problems.append(f'{", ".join(STAGES)} all have 0 steps: nothing to do')
        if self.distil.steps and self.data.source.partition(':')[0] == SYNTHETIC:
            problems.append('distil plays recordings, not synthetic scenes')
        if self.start == 'imagenet' and not self.teacher.steps:
            problems.append('a run without teacher steps must start from weights, not imagenet')
        if problems:
            raise ValueError('Recipe: ' + '; '.join(problems))


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """
    Read a recipe.

    :param path: YAML file.
    :param overrides: ``key=value`` words, e.g. ``teacher.steps=100``, that win over the file.
    :return: the recipe.
    :raises MdepthError: if the file is missing, a key unknown, a type or a value wrong.
    """
    return read_settings(Recipe, 'recipe', path, overrides)


def dump_recipe(recipe: Recipe, path: Path) -> None:
    """
    Write a recipe that :func:`load_recipe` reads, whole or not at all.

    :param recipe: what to write.
    :param path: the file.
    :raises MdepthError: if the disk does not take it.
    """
    write_whole(path, yaml.safe_dump(_plain(recipe), sort_keys=False).encode())


def _plain(value: Any) -> Any:
    """Dataclasses as dictionaries."""
    if hasattr(value, '__dataclass_fields__'):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value
