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

"""Rendered frames with real parallax."""

import cv2
from mdepth_ros.training.datasets.frames_index import FrameEntry, FramesIndex, write_index
from mdepth_ros.training.synthetic import render_sequence, SceneConfig, to_bytes
import numpy as np
import pytest


@pytest.fixture(scope='session')
def rendered():
    """Ten frames of a hand-held camera, 64 x 64, with their truth."""
    config = SceneConfig('handheld', 64, 64, frames=10, moving_objects=False)
    return render_sequence(config, 3)


@pytest.fixture(scope='session')
def rendered_folder(rendered, tmp_path_factory):
    """Write the same as a frames folder without truth."""
    folder = tmp_path_factory.mktemp('rendered')
    images = to_bytes(rendered.images).permute(0, 2, 3, 1).numpy()
    for number, image in enumerate(images):
        cv2.imwrite(str(folder / f'{number}.png'), np.ascontiguousarray(image[..., ::-1]))
    entries = tuple(FrameEntry(f'{number}.png') for number in range(len(images)))
    write_index(FramesIndex(64, 64, rendered.K.double().numpy(), entries, fps=15.0),
                folder / 'frames.json')
    return folder
