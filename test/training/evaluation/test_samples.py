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

"""The sheet of a few frames, whatever is known of each."""

import cv2
from mdepth_ros.engine.frames import Mode
from mdepth_ros.errors import MdepthError
from mdepth_ros.training.evaluation.evaluate import EvaluatedFrame
from mdepth_ros.training.evaluation.protocol import ALL, relative_error
from mdepth_ros.training.evaluation.samples import draw_samples
from mdepth_ros.training.evaluation.scores import FrameScore, score_depths
import numpy as np
import pytest


def played(truth):
    """Return a frame of 2 m, scored against a truth of another size."""
    rgb, depth = np.zeros((24, 32, 3), np.uint8), np.full((8, 16), 2, np.float32)
    scores = None if truth is None else score_depths(depth, depth, truth, None, ALL)
    return EvaluatedFrame(FrameScore('made', 0, 0, Mode.SINGLE, None, 1.0, scores), rgb, truth,
                          depth, depth)


@pytest.mark.parametrize('other', [np.full((24, 32), np.inf, np.float32),
                                   np.full((24, 32), np.nan, np.float32), None],
                         ids=['sky', 'unknown', 'none'])
def test_frames_of_which_no_pixel_is_scored_among_others(other, tmp_path):
    frames = [played(np.full((24, 32), 3, np.float32)), played(other)]
    draw_samples(frames, ALL, tmp_path / 'samples.png')
    assert cv2.imread(str(tmp_path / 'samples.png')).std() > 5


def test_a_picture_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / 'samples.png').mkdir()
    with pytest.raises(MdepthError, match=r'cannot write .*samples\.png: Is a directory'):
        draw_samples([played(None)], ALL, tmp_path / 'samples.png')
    assert [path.name for path in tmp_path.iterdir()] == ['samples.png']


def test_relative_error_worked_by_hand():
    truth = np.array([[2.0, 4.0, np.nan, np.inf, 0.0, 40.0]], np.float32)
    depth = np.array([[3.0, np.nan, 1.0, 1.0, 1.0, 100.0]], np.float32)
    error = relative_error(depth, truth, ALL)
    # The last is clamped to 80 m.
    assert np.array_equal(error, [[0.5, np.nan, np.nan, np.nan, np.nan, 1.0]], equal_nan=True)
