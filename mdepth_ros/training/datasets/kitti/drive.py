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

"""One camera of one KITTI drive as sequences of frames that follow each other."""

from collections.abc import Container, Iterable
from pathlib import Path

from mdepth_ros.training.datasets.image_files import read_rgb
from mdepth_ros.training.datasets.kitti.calibration import (
    KittiCalibration,
    read_calibration,
    read_camera,
)
from mdepth_ros.training.datasets.kitti.drive_id import DriveId
from mdepth_ros.training.datasets.kitti.lidar import camera_depth, eigen_depth, read_scan
from mdepth_ros.training.datasets.kitti.timestamps import read_stamps
from mdepth_ros.training.datasets.sequence import DataError, Sequence
from mdepth_ros.training.datasets.sequence_part import check_index
import numpy as np
from numpy.typing import NDArray

SUFFIXES = ('.jpg', '.png')  # where a frame is there as both, the later one counts


class KittiDrive(Sequence):
    """
    Consecutive frames of one camera of a drive.

    :param root: folder with a folder for each date.
    :param drive: which drive.
    :param camera: such as ``image_02``.
    :param images: the images by frame number, without a gap.
    :param targets: numbers of the frames to train on; None is all.
    :raises DataError: if the calibration or the time stamps are missing or wrong.
    :ivar drive: which drive.
    :ivar numbers: KITTI's numbers of the frames.
    :ivar targets: indices of the frames to train on.
    """

    def __init__(
        self, root: Path, drive: DriveId, camera: str, images: dict[int, Path],
        targets: Container[int] | None = None,
    ) -> None:
        self.drive = drive
        self.numbers = range(min(images), max(images) + 1)
        if len(self.numbers) != len(images):
            raise ValueError(f'images must follow each other, got {len(images)} from '
                             f'{self.numbers[0]} to {self.numbers[-1]}')
        self.targets = tuple(index for index, number in enumerate(self.numbers)
                             if targets is None or number in targets)
        self.name = f'{drive}/{camera}[{self.numbers[0]}:{self.numbers[-1] + 1}]'
        self.camera = read_camera(root / drive.date, camera)
        self._date_folder, self._camera_name = root / drive.date, camera
        self._files = [images[number] for number in self.numbers]
        self._stamps = read_stamps(
            self._date_folder / drive.folder / camera / 'timestamps.txt', list(self.numbers))

    def __len__(self) -> int:
        return len(self.numbers)

    def stamp_ns(self, index: int) -> int:
        """Return when a frame was taken [ns]."""
        check_index(self, index)
        return self._stamps[index]

    def rgb(self, index: int) -> NDArray[np.uint8]:
        """Read an image, (H, W, 3) RGB."""
        check_index(self, index)
        return read_rgb(self._files[index], self.camera.width, self.camera.height)

    def depth(self, index: int) -> NDArray[np.float32] | None:
        """Read the lidar's depth along the camera's axis, (H, W) [m]; None without a scan."""
        scan = self._scan_file(index)
        return camera_depth(read_scan(scan), self._calibration()) if scan.exists() else None

    def eigen_depth(self, index: int) -> NDArray[np.float32]:
        """
        Read the classical ground truth, see :func:`.lidar.eigen_depth`.

        :param index: which frame.
        :return: (H, W) [m], NaN where there is none.
        :raises DataError: naming the file, if the scan or the calibration is missing or wrong.
        """
        return eigen_depth(read_scan(self._scan_file(index)), self._calibration())

    def _scan_file(self, index: int) -> Path:
        """Where the lidar's scan of a frame is."""
        check_index(self, index)
        return (self._date_folder / self.drive.folder / 'velodyne_points/data'
                / f'{self.numbers[index]:010}.bin')

    def _calibration(self) -> KittiCalibration:
        """Read the lidar's pose, when it is needed: training does without."""
        return read_calibration(self._date_folder, self._camera_name)


def find_images(root: Path, drive: DriveId, camera: str) -> dict[int, Path]:
    """
    Find the images of a camera.

    :param root: folder with a folder for each date.
    :param drive: which drive.
    :param camera: such as ``image_02``.
    :return: image by frame number, ascending; at least one.
    :raises DataError: naming the folder, if it is missing or has no images.
    """
    folder = root / drive.date / drive.folder / camera / 'data'
    found = {int(path.stem): path for suffix in SUFFIXES for path in folder.glob(f'*{suffix}')
             if path.stem.isdecimal()}
    if not found:
        raise DataError(f'no KITTI images ({", ".join(SUFFIXES)}) in {folder}')
    return dict(sorted(found.items()))


def split_at_gaps(numbers: Iterable[int]) -> list[list[int]]:
    """
    Split frame numbers where one is missing, so that neighbours are neighbours in time.

    :param numbers: ascending.
    :return: runs of consecutive numbers.
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def open_runs(
    root: Path, drive: DriveId, camera: str, images: dict[int, Path], numbers: Iterable[int],
    targets: Container[int] | None = None,
) -> list[KittiDrive]:
    """
    Open some frames of a camera, split where one is missing.

    :param root: folder with a folder for each date.
    :param drive: which drive.
    :param camera: such as ``image_02``.
    :param images: all its images by frame number.
    :param numbers: which of them, ascending.
    :param targets: which of these to train on; None is all.
    :return: the sequences.
    :raises DataError: as for :class:`KittiDrive`.
    """
    return [KittiDrive(root, drive, camera, {number: images[number] for number in run}, targets)
            for run in split_at_gaps(numbers)]
