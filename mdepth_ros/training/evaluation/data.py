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

"""What ``--data`` and ``--split`` mean: sequences on disk, the Eigen test set, made-up scenes."""

from dataclasses import dataclass
from pathlib import Path
import re
from typing import get_args

import mdepth_ros
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.datasets.catalogue import open_data
from mdepth_ros.training.datasets.kitti.eigen import CAMERA, eigen_test
from mdepth_ros.training.datasets.sequence import Sequence
from mdepth_ros.training.datasets.synthetic import SyntheticSequenceView
from mdepth_ros.training.evaluation.protocol import ALL, EIGEN_BENCHMARK
from mdepth_ros.training.evaluation.stretches import lone_frames, Stretch, whole_sequences
from mdepth_ros.training.scenes.held_out import EVALUATION
from mdepth_ros.training.synthetic import Kind, random_config

KITTI_SPLIT = 'training/kitti/eigen.json'
KINDS: tuple[Kind, ...] = get_args(Kind)
SYNTHETIC = re.compile(rf'synthetic(?::({"|".join(KINDS)})(?::(\d+)(?:-(\d+))?)?)?')


@dataclass(frozen=True)
class DataChoice:
    """
    What the user asked to evaluate on.

    ``data`` is a path or ``synthetic[:KIND[:SEEDS]]``, ``split`` the name of a protocol. Of a
    single sequence ``first`` to ``last``, itself included, are taken; of each, every ``every``-th
    frame. ``kitti_split`` is the Eigen test set's file, None for the one that comes with us;
    ``benchmark`` is the improved ground truth's folder.
    """

    data: str
    split: str = ALL.name
    first: int = 0
    last: int | None = None
    every: int = 1
    kitti_split: Path | None = None
    benchmark: Path | None = None


def choose_stretches(choice: DataChoice) -> list[Stretch]:
    """
    Open the data.

    :param choice: what the user asked for.
    :return: what to play; at least one stretch.
    :raises MdepthError: if there is no such data, or the choice contradicts itself.
    """
    ranged = choice.first != 0 or choice.last is not None
    if choice.every < 1:
        raise MdepthError(f'of every N-th frame N must be at least 1, got {choice.every}')
    if choice.split != ALL.name:
        if ranged or choice.every != 1:
            raise MdepthError(f'the frames of {choice.split} are fixed: '
                              'a range or a rate goes with the split all')
        return _eigen(choice)
    if choice.data.split(':')[0] == 'synthetic':
        sequences = synthetic_sequences(choice.data)
    else:
        # Standing still is what a robot often does, so it belongs to the test.
        sequences = open_data(Path(choice.data), cameras=(CAMERA,), drop_static=False)
    if ranged and len(sequences) != 1:
        raise MdepthError(f'a range of frames needs a single sequence, {choice.data} has '
                          f'{len(sequences)}: {sequences[0].name}, {sequences[1].name}, ...')
    return whole_sequences(sequences, choice.first, choice.last, choice.every)


def synthetic_sequences(text: str) -> list[Sequence]:
    """
    Choose synthetic worlds, which are rendered when they are played.

    :param text: ``synthetic`` for every kind, ``synthetic:indoor``, ``synthetic:indoor:7`` or
        ``synthetic:indoor:7-9``.
    :return: a sequence per kind and seed.
    :raises MdepthError: if the text is another.
    """
    match = SYNTHETIC.fullmatch(text)
    if match is None:
        raise MdepthError(f'synthetic data is synthetic[:KIND[:SEEDS]] with KIND one of '
                          f'{", ".join(KINDS)} and SEEDS such as 7 or 7-9, got {text!r}')
    wanted, first, last = match.groups()
    low, high = ((EVALUATION[0], EVALUATION[-1]) if first is None
                 else (int(first), int(last or first)))
    if low > high:
        raise MdepthError(f'synthetic seeds must rise, got {low}-{high}')
    return [SyntheticSequenceView(random_config(seed, kind=kind), seed)
            for kind in KINDS if wanted in (None, kind) for seed in range(low, high + 1)]


def shipped_kitti_split(package_file: Path) -> Path:
    """
    Find the split file that comes with the package.

    :param package_file: a file of the package, links resolved.
    :return: the file beside the package's folder, in a source tree; or that in ``share`` of the
        prefix that pip or colcon installed it into; the first of these where there is neither.
    """
    beside = package_file.parents[1] / KITTI_SPLIT
    installed = (prefix / 'share/mdepth_ros' / KITTI_SPLIT for prefix in package_file.parents)
    return next((path for path in (beside, *installed) if path.is_file()), beside)


def _eigen(choice: DataChoice) -> list[Stretch]:
    """Return the Eigen test set, with the ground truth of its split."""
    improved = choice.split == EIGEN_BENCHMARK.name
    if improved and choice.benchmark is None:
        raise MdepthError(f'{choice.split} needs --benchmark DIR, the improved ground truth '
                          '(data_depth_annotated, with train and val)')
    split_file = choice.kitti_split or shipped_kitti_split(Path(mdepth_ros.__file__).resolve())
    return lone_frames(eigen_test(Path(choice.data), split_file,
                                  choice.benchmark if improved else None))
