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

"""The Eigen split: which drives train, which images test, and their two kinds of ground truth."""

from collections.abc import Iterable
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

from mdepth_ros.training.datasets.image_files import read_depth
from mdepth_ros.training.datasets.kitti.drive import find_images, KittiDrive, open_runs
from mdepth_ros.training.datasets.kitti.drive_id import DriveId, parse_drive
from mdepth_ros.training.datasets.sequence import DataError
import numpy as np
from numpy.typing import NDArray

CAMERA = 'image_02'
KEYS = {'test', 'without_improved_ground_truth', 'training_drives'}
BENCHMARK_UNIT_M = 1.0 / 256.0


@dataclass(frozen=True)
class EigenSplit:
    """The split: test frames and those of them without improved truth; the training drives."""

    test: tuple[tuple[DriveId, int], ...]
    without_improved: frozenset[tuple[DriveId, int]]
    training_drives: tuple[DriveId, ...]


@dataclass(frozen=True, eq=False)
class TestFrame:
    """
    One test image: where it is in its sequence, and where its truth comes from.

    ``benchmark`` is the file of the improved ground truth, None for the classical one.
    """

    __test__ = False  # not a test case of pytest

    sequence: KittiDrive
    index: int
    benchmark: Path | None = None

    def truth(self) -> NDArray[np.float32]:
        """
        Read the ground truth.

        :return: (H, W) [m], NaN where there is none: accumulated lidar along the camera's axis,
            or one scan as in :func:`.lidar.eigen_depth`.
        :raises DataError: naming the file, if one is missing, broken or of another size.
        """
        if self.benchmark is None:
            return self.sequence.eigen_depth(self.index)
        depth = read_depth(self.benchmark, BENCHMARK_UNIT_M)
        camera = self.sequence.camera
        if depth.shape != (camera.height, camera.width):
            raise DataError(f'{self.benchmark} is {depth.shape[1]} x {depth.shape[0]}, '
                            f'its camera {camera.width} x {camera.height}')
        return depth


def read_eigen(path: Path) -> EigenSplit:
    """
    Read the split.

    :param path: such as ``training/kitti/eigen.json``.
    :raises DataError: naming the file, if it is missing or something else.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
        if set(content) != KEYS:
            raise DataError(f'it must have {sorted(KEYS)}, got {sorted(content)}')
        test = tuple((parse_drive(drive), int(number))
                     for drive, numbers in content['test'].items() for number in numbers)
        frames = [text.rpartition('/') for text in content['without_improved_ground_truth']]
        without = frozenset((parse_drive(drive), int(number)) for drive, _, number in frames)
        training = tuple(map(parse_drive, content['training_drives']))
    except (DataError, OSError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f'{path} is not an Eigen split: {error}') from error
    if not without <= set(test):
        raise DataError(f'{path}: {len(without - set(test))} frames are said to be without '
                        'improved ground truth, but are not in test')
    return EigenSplit(test, without, training)


def eigen_test(
    root: Path, split_file: Path, benchmark_root: Path | None = None
) -> list[TestFrame]:
    """
    Open the Eigen test set.

    :param root: KITTI raw: a folder with a folder for each date.
    :param split_file: see :func:`read_eigen`.
    :param benchmark_root: the improved ground truth, with ``train`` and ``val``; then only the 652
        of the 697 images count that have it (`eigen_benchmark`), else all with one scan each.
    :return: the test frames in the order of the file.
    :raises DataError: naming the file, where an image or its improved truth is missing.
    """
    split = read_eigen(split_file)
    wanted = split.test if benchmark_root is None else tuple(
        frame for frame in split.test if frame not in split.without_improved)
    places = _places(root, {drive for drive, _ in wanted})
    frames = []
    for drive, number in wanted:
        if (drive, number) not in places:
            folder = root / drive.date / drive.folder / CAMERA / 'data'
            raise DataError(f'the Eigen test set needs {folder}/{number:010}.png or .jpg')
        sequence, index = places[drive, number]
        truth = benchmark_root and _benchmark_file(benchmark_root, drive, number)
        frames.append(TestFrame(sequence, index, truth))
    return frames


def _places(
    root: Path, drives: Iterable[DriveId]
) -> dict[tuple[DriveId, int], tuple[KittiDrive, int]]:
    """Sequence and index of every frame of some drives."""
    places = {}
    for drive in sorted(drives):
        images = find_images(root, drive, CAMERA)
        for sequence in open_runs(root, drive, CAMERA, images, images):
            for index, number in enumerate(sequence.numbers):
                places[drive, number] = (sequence, index)
    return places


def _benchmark_file(root: Path, drive: DriveId, number: int) -> Path:
    """Where the improved ground truth of a frame is: in its training or its validation part."""
    inner = Path(drive.folder, 'proj_depth', 'groundtruth', CAMERA, f'{number:010}.png')
    for part in ('train', 'val'):
        if (root / part / inner).is_file():
            return root / part / inner
    raise DataError(f'no improved ground truth {inner} in {root}/train or {root}/val')
