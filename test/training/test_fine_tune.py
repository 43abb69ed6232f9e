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

"""How many steps fit into the time that the user gave."""

from mdepth_ros.training import fine_tune
from mdepth_ros.training.loop.recipe import DataConfig, Recipe
from mdepth_ros.training.loop.schedule import Schedule
import pytest
from runs import make_recipe, tiny_start

STEP_S = {'teacher': 2.0, 'student': 1.0, 'refine': 0.5}


@pytest.fixture
def timed(monkeypatch):
    """Let steps take what STEP_S says, and trials 10 s of a clock of their own."""
    now_s = [100.0]

    def trial(recipe, stage, folder):
        now_s[0] += 10.0
        return STEP_S[stage]

    monkeypatch.setattr(fine_tune, 'seconds_per_step', trial)
    monkeypatch.setattr(fine_tune.time, 'monotonic', lambda: now_s[0])


@pytest.mark.parametrize(('stages', 'left_s', 'steps'), [
    ({}, 220.0, 100),  # one trial, and as much again for the start of the run
    ({}, 1e6, 600),  # 12 times 400 samples in batches of 8
    ({}, -5.0, 1),
    ({'student': Schedule(60)}, 220.0, 60),
    ({'student': Schedule(60), 'refine': Schedule(40)}, 220.0, 40),
    ({'student': Schedule(60), 'refine': Schedule(40), 'rounds': 2}, 220.0, 1),
    ({'student': Schedule(60), 'refine': Schedule(40), 'rounds': 2}, 320.0, 50)])
def test_all_stages_share_the_time(timed, tmp_path, stages, left_s, steps):
    recipe = Recipe(DataConfig('.'), start='default', batch=8, teacher=Schedule(7), **stages)
    fitted = fine_tune.fit_steps(recipe, tmp_path, 400, left_s)
    assert fitted.teacher.steps == steps
    assert (fitted.student, fitted.refine) == (recipe.student, recipe.refine)


@pytest.mark.parametrize('stage', ['teacher', 'student', 'refine'])
def test_every_stage_can_be_timed_alone(rendered_folder, tmp_path, stage):
    steps = {stage: Schedule(1000) for stage in STEP_S}
    recipe = make_recipe(rendered_folder, tiny_start(tmp_path), rounds=2, batch=2, **steps)
    assert 0.001 < fine_tune.seconds_per_step(recipe, stage, tmp_path / 'run') < 20.0
    assert not list((tmp_path / 'run').iterdir())
