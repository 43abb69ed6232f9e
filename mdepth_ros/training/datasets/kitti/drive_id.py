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

"""How KITTI names its recordings and cameras."""

from dataclasses import dataclass
import re

from mdepth_ros.training.datasets.sequence import DataError

CAMERAS = ('image_02', 'image_03')  # the colour cameras, left and right
DATE = r'\d{4}_\d{2}_\d{2}'
SHORT = re.compile(rf'({DATE})/(\d{{4}})')
FOLDER = re.compile(rf'(?:({DATE})/)?({DATE})_drive_(\d{{4}})_sync/?')


@dataclass(frozen=True, order=True)
class DriveId:
    """One synchronised and rectified recording, such as ``2011_09_26`` and ``0002``."""

    date: str
    number: str

    def __str__(self) -> str:
        return f'{self.date}/{self.number}'

    @property
    def folder(self) -> str:
        """Name of its folder, in the folder of its date."""
        return f'{self.date}_drive_{self.number}_sync'


def parse_drive(text: str) -> DriveId:
    """
    Read a drive's name.

    :param text: ``2011_09_26/0002``, or its folder with or without the date's before it.
    :raises DataError: if it is neither.
    """
    if match := SHORT.fullmatch(text):
        return DriveId(*match.groups())
    if (match := FOLDER.fullmatch(text)) and match[1] in (None, match[2]):
        return DriveId(match[2], match[3])
    raise DataError('a KITTI drive is named like 2011_09_26/0002 or '
                    f'2011_09_26/2011_09_26_drive_0002_sync, got {text!r}')
