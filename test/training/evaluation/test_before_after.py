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

"""Numbers and picture of a comparison."""

import dataclasses
import json

from mdepth_ros.training.datasets.frames_folder import open_frames
from mdepth_ros.training.evaluation import before_after
from mdepth_ros.training.evaluation.before_after import (
    draw,
    json_report,
    Score,
    score,
    text_report,
)
from mdepth_ros.training.evaluation.evaluate import play
from mdepth_ros.training.loop.recipe import DataConfig, Recipe
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.validation import PhotometricScore
import numpy as np
import pytest
from runs import SIZE, tiny_model

RECIPE = Recipe(DataConfig('.', SIZE, SIZE), teacher=Schedule(1))

BEFORE = Score(PhotometricScore(0.11, 0.12, 0.2, 0.07, 7), 0.05, 0.25, 0.24)
AFTER = Score(PhotometricScore(0.09, 0.08, 0.2, 0.06, 7), 0.04, 0.21, 0.19)


def test_the_table_has_each_number_in_its_column():
    lines = [line.rsplit(maxsplit=2) for line in text_report(BEFORE, AFTER).splitlines()]
    assert [line[0].strip() for line in lines[:1]] == ['on 7 held-back frames']
    assert [(float(a), float(b)) for _, a, b in lines[1:]] == [
        (0.11, 0.09), (0.12, 0.08), (0.07, 0.06), (0.05, 0.04), (0.25, 0.21), (0.24, 0.19)]
    assert all('multi' in lines[row][0] for row in (2, 6))


def test_without_true_depth_there_is_no_line_for_it():
    unknown = {'abs_rel_single': None, 'abs_rel_multi': None}
    before, after = (dataclasses.replace(one, **unknown) for one in (BEFORE, AFTER))
    assert 'AbsRel' not in text_report(before, after)
    assert json.loads(json_report(before, after))['after']['abs_rel_multi'] is None


def test_errors_that_no_pixel_counted_for_have_no_line():
    standing = dataclasses.replace(BEFORE, photometric=PhotometricScore(None, None, None, 0.0, 7))
    assert text_report(BEFORE, standing).count('photometric error') == 0
    assert json.loads(json_report(BEFORE, standing))['after']['photometric']['single'] is None


def test_json_holds_both_scores():
    read = json.loads(json_report(BEFORE, AFTER))
    assert read['before'] == {'photometric': {'single': 0.11, 'multi': 0.12, 'identity': 0.2,
                                              'capped': 0.07, 'frames': 7},
                              'temporal_error': 0.05,
                              'abs_rel_single': 0.25, 'abs_rel_multi': 0.24}
    assert read['after']['photometric']['multi'] == 0.08


@pytest.fixture(scope='module')
def scored(rendered_folder):
    return score(tiny_model().eval(), open_frames(rendered_folder), RECIPE)


def test_a_score_of_frames_without_depth(scored):
    result, shown = scored
    assert (result.abs_rel_single, result.abs_rel_multi) == (None, None)
    assert 0 < result.photometric.single < 1
    assert len(shown) == 4


def test_of_a_long_sequence_only_the_beginning_is_played(rendered_folder, monkeypatch):
    monkeypatch.setattr(before_after, 'COMPARED_FRAMES', 3)
    played = []

    def spy(*arguments):
        for frame in play(*arguments):
            played.append(frame)
            yield frame
    monkeypatch.setattr(before_after, 'play', spy)
    _, shown = score(tiny_model().eval(), open_frames(rendered_folder)[:1], RECIPE)
    assert len(played) == 3
    assert shown == played[1:]


def test_the_picture_has_a_row_for_each_frame_and_a_column_for_each_depth(scored):
    _, shown = scored
    darker = [dataclasses.replace(frame, single=frame.single + np.linspace(0, 9, SIZE))
              for frame in shown]
    picture = draw(shown, darker)
    caption = picture.shape[0] - 4 * SIZE
    assert (picture.shape[1], picture.dtype) == (5 * SIZE, np.uint8)
    assert 10 < caption < 40
    tiles = picture[caption:].reshape(4, SIZE, 5, SIZE, 3).swapaxes(1, 2)  # row, column, ...
    for row, frame in enumerate(shown):
        assert np.abs(tiles[row, 0].astype(int) - frame.rgb).max() == 0
        assert (tiles[row, 2] == tiles[row, 4]).all()
        assert (tiles[row, 1] != tiles[row, 3]).any()
        # Near is bright.
        depth, brightness = frame.single.ravel(), tiles[row, 1].sum(axis=2).ravel()
        near, far = depth < np.quantile(depth, 0.2), depth > np.quantile(depth, 0.8)
        assert brightness[near].mean() > brightness[far].mean()
