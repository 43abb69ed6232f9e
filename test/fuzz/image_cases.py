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

"""Broken images in a folder, by themselves or under names that nobody gives."""

from contextlib import suppress

import cv2
from image_claims import claiming
from mdepth_ros.cli.image_folder import SUFFIXES
from mdepth_ros.cli.played.source import images_source
from mdepth_ros.engine.camera_choice import CameraChoice
from mdepth_ros.training.datasets.image_files import read_depth, read_mask, read_size
from mdepth_ros.training.datasets.sequence import DataError
from mutate import changed_bytes, TEXTS
from recording_cases import FRAMES, picture, predict

NAMES = [text for text in TEXTS if not set('/\0') & set(text) and len(text) < 200]
SIDES = (0, 1, 40, 5000, 16000, 30000, 65535, 2**20, 2**31 - 1)


def image_folder(rng, base, weights, folder):
    """Make a folder of images without frames.json, some of them broken."""
    path = folder / 'in/images'
    path.mkdir()
    suffix = rng.choice((*SUFFIXES, '.png', '.jpg'))
    for index in range(FRAMES):
        data = cv2.imencode(suffix, picture(index))[1].tobytes()
        # Most first ones are good: they tell the size.
        if rng.random() < (0.8 if index else 0.3):
            data = (changed_bytes(rng, data) if rng.random() < 0.6
                    else claiming(data, rng.choice(SIDES), rng.choice(SIDES)))
        stem = rng.choice(NAMES) if rng.random() < 0.1 else ''
        (path / f'{index}{stem}{suffix}').write_bytes(data)
    if rng.random() < 0.4:
        return predict(rng, path, weights, folder, '--fov', 80)
    return lambda: _read_all(path)


def _read_all(path):
    """Read every image as whatever it may be, and then all as the demo does."""
    for file in sorted(path.iterdir()):
        for read in (read_size, read_mask, lambda file: read_depth(file, 0.001)):
            with suppress(DataError):
                read(file)
    assert list(images_source(path, CameraChoice(fov_deg=80.0), FRAMES, 10.0).frames)
    return 'read'
