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

"""Rendered worlds on disk: what was rendered comes back, and a disk that refuses is told."""

from mdepth_ros.errors import MdepthError
from mdepth_ros.training.datasets.frames_folder import open_frames
from mdepth_ros.training.datasets.frames_index import FILE_NAME
from mdepth_ros.training.datasets.rendered import DEPTH_UNIT_M, write_sequence
from mdepth_ros.training.synthetic import render_sequence, SceneConfig
import numpy as np
import pytest


@pytest.fixture(scope='module')
def rendered():
    return render_sequence(SceneConfig('driving', 64, 32, frames=2), 3)


def test_what_was_rendered_is_read(rendered, tmp_path):
    write_sequence(rendered, tmp_path / 'world')
    sequence, = open_frames(tmp_path)
    assert [sequence.stamp_ns(i) for i in range(2)] == rendered.stamps_ns.tolist()
    image = rendered.images[1].permute(1, 2, 0).numpy()
    assert np.abs(sequence.rgb(1) / 255 - image).max() < 0.51 / 255
    depth, truth = sequence.depth(1), rendered.depth[1, 0].numpy()
    assert np.array_equal(np.isnan(depth), truth > 65535 * DEPTH_UNIT_M)
    assert np.nanmax(np.abs(depth - truth)[~np.isnan(depth)]) < 0.51 * DEPTH_UNIT_M
    assert np.array_equal(sequence.moving(1), rendered.moving[1, 0])


@pytest.mark.parametrize('part', ['image', 'depth', 'moving'])
def test_a_file_that_cannot_be_written_leaves_no_sequence(rendered, tmp_path, part):
    blocked = tmp_path / part / '000001.png'
    blocked.mkdir(parents=True)
    with pytest.raises(MdepthError, match=f'^cannot write {blocked}: '):
        write_sequence(rendered, tmp_path)
    assert not (tmp_path / FILE_NAME).exists()
