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

"""Synthetic worlds as frames folders: rendered once, read by many trainings."""

from pathlib import Path

import cv2
from mdepth_ros.errors import writing
from mdepth_ros.training.datasets.frames_index import (
    FILE_NAME,
    FrameEntry,
    FramesIndex,
    write_index,
)
from mdepth_ros.training.datasets.image_files import write_image
from mdepth_ros.training.synthetic import SyntheticSequence, to_bytes
import numpy as np

# 16 bit reach 131 m, and are finer than any network.
DEPTH_UNIT_M = 0.002
DEEPEST = 65535


def write_sequence(sequence: SyntheticSequence, folder: Path) -> None:
    """
    Write a rendered sequence; ``frames.json`` comes last, so that half a folder is none.

    The sky, and what is farther than 131 m, has no depth there.

    :param sequence: frames on the CPU.
    :param folder: made if it is not there.
    :raises MdepthError: if the disk does not take it.
    """
    images = to_bytes(sequence.images).permute(0, 2, 3, 1).numpy()
    depths, moving = sequence.depth[:, 0].numpy(), sequence.moving[:, 0].numpy()
    entries = []
    for i, image in enumerate(images):
        file = f'{i:06d}.png'
        units = np.round(depths[i] / DEPTH_UNIT_M)
        counts = np.where(units <= DEEPEST, units, 0).astype(np.uint16)
        write_image(folder / 'image' / file, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        write_image(folder / 'depth' / file, counts)
        write_image(folder / 'moving' / file, moving[i].astype(np.uint8) * 255)
        entries.append(FrameEntry(
            f'image/{file}', int(sequence.stamps_ns[i]), f'depth/{file}',
            T_world_camera=sequence.T_world_camera[i].double().numpy(), moving=f'moving/{file}'))
    height, width = images.shape[1:3]
    with writing(folder / FILE_NAME):
        write_index(FramesIndex(width, height, sequence.K.double().numpy(), tuple(entries),
                                depth_unit_m=DEPTH_UNIT_M), folder / FILE_NAME)
