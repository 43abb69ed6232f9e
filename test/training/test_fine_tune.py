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

"""How many rounds and steps fit into the time that the user gave."""

from dataclasses import replace
from types import SimpleNamespace

from full_disk import no_file_above
from mdepth_ros.errors import MdepthError
from mdepth_ros.training import fine_tune
from mdepth_ros.training.loop.recipe import DataConfig, Recipe, STAGES
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.own_depth import choose_clips
import pytest
from runs import make_recipe, tiny_start

pytestmark = pytest.mark.usefixtures('in_torch')

STEP_S = {'teacher': 2.0, 'student': 1.0, 'refine': 0.5, 'distil': 0.5}
FRAMES, FRAME_S = 400, 0.05


@pytest.fixture
def timed(monkeypatch):
    """Let steps and frames take what is written above, and trials 10 s of a clock of their own."""
    now_s = [100.0]

    def trial(recipe, stage, folder):
        now_s[0] += 10.0
        return STEP_S[stage]

    class Frames:

        def __len__(self):
            return FRAMES

    monkeypatch.setattr(fine_tune, 'seconds_per_step', trial)
    monkeypatch.setattr(fine_tune, 'seconds_per_frame', lambda *_: FRAME_S)
    monkeypatch.setattr(fine_tune, 'open_parts', lambda _: SimpleNamespace(
        learn=[Frames()], held_back=[Frames(), range(100)]))
    monkeypatch.setattr(fine_tune, 'find_triplets', lambda *_: None)
    monkeypatch.setattr(fine_tune.time, 'monotonic', lambda: now_s[0])


# A round plays all frames, 20 s; the trial counts twice, for the start of the run, too.
@pytest.mark.parametrize(('stages', 'left_s', 'rounds', 'steps'), [
    ({}, 1e6, 3, 300),  # six times 400 frames in batches of 8
    ({}, 20 + 3 * (20 + 80), 3, 160),
    ({}, 20 + 2 * (20 + 85), 2, 170),  # three rounds would have 100, less than half
    ({}, 20 + 60, 1, 80),
    ({}, -5.0, 1, 1),
    ({'student': Schedule(60)}, 40 + 3 * (60 + 20 + 80), 3, 160),
    ({'refine': Schedule(100)}, 40 + 3 * (20 + 100), 3, 150),  # half of 300, and of 100
    # The same, and 200 and 100 frames that are held back are compared.
    ({'refine': Schedule(100), 'keep_refined': 'steadier'}, 40 + 3 * (35 + 100), 3, 150),
    ({'teacher': Schedule(30)}, 40 + 60 + 3 * (20 + 75), 3, 150)])
def test_all_stages_share_the_time(timed, tmp_path, stages, left_s, rounds, steps):
    recipe = Recipe(DataConfig('.', held_back=0.1), start='default', batch=8, distil=Schedule(7),
                    rounds=3, **stages)
    fitted = fine_tune.fit_steps(recipe, fine_tune.Request(), tmp_path, left_s)
    assert (fitted.rounds, fitted.distil.steps) == (rounds, steps)
    assert (fitted.teacher, fitted.student) == (recipe.teacher, recipe.student)
    assert fitted.refine.steps == recipe.refine.steps * steps // 300


@pytest.mark.parametrize(('settings', 'left_s', 'rounds', 'steps', 'refine'), [
    ((), 40 + 2 * (20 + 110), 2, 165, 55),
    # Three rounds have less than half of the steps that are useful.
    (('rounds=3',), 40 + 3 * (20 + 50), 3, 75, 25),
    (('refine.steps=100',), 40 + 2 * (20 + 50 + 90), 2, 180, 100),
    (('rounds=3', 'refine.steps=100'), 40 + 3 * (20 + 50 + 25), 3, 50, 100),
    (('rounds=3', 'refine.steps=100'), 40.0, 3, 1, 100)])
def test_what_the_user_says_stays(timed, tmp_path, settings, left_s, rounds, steps, refine):
    recipe = Recipe(DataConfig('.', held_back=0.1), start='default', batch=8, distil=Schedule(7),
                    refine=Schedule(100), rounds=3)
    fitted = fine_tune.fit_steps(recipe, fine_tune.Request(settings=settings), tmp_path, left_s)
    assert (fitted.rounds, fitted.distil.steps, fitted.refine.steps) == (rounds, steps, refine)


@pytest.mark.parametrize('stage', STAGES)
def test_every_stage_can_be_timed_alone(rendered_folder, tmp_path, stage):
    steps = {stage: Schedule(1000) for stage in STEP_S}
    recipe = make_recipe(rendered_folder, tiny_start(tmp_path), rounds=2, batch=2, **steps)
    assert 0.001 < fine_tune.seconds_per_step(recipe, stage, tmp_path / 'run') < 20.0
    assert not list((tmp_path / 'run').iterdir())


def test_frames_can_be_timed(rendered_folder, tmp_path):
    recipe = make_recipe(rendered_folder, tiny_start(tmp_path), batch=2, distil=Schedule(1))
    clip, = choose_clips(fine_tune.open_parts(recipe.data).learn, 600)
    for frames in (clip.indices, clip.indices[:1]):
        some = replace(clip, indices=frames)
        assert 0.001 < fine_tune.seconds_per_frame(recipe, some) < 20.0


@pytest.mark.parametrize('inner', ['run', 'run/model.safetensors'])
def test_a_disk_that_takes_no_trial_is_one_line(rendered_folder, tmp_path, inner):
    """No room for the list of neighbours; and no folder where a file is."""
    recipe = make_recipe(rendered_folder, tiny_start(tmp_path), batch=2, distil=Schedule(1))
    folder = tmp_path / inner
    (tmp_path / 'run').mkdir()
    for name in (fine_tune.NEIGHBOURS, 'model.safetensors'):
        (tmp_path / 'run' / name).write_text(20 * ' ')
    with no_file_above(10), pytest.raises(MdepthError, match=r'^cannot write .*timing: ') as told:
        fine_tune.seconds_per_step(recipe, 'distil', folder)
    assert '\n' not in str(told.value)
    assert not (folder / fine_tune.TRIAL).exists()


def test_a_recording_that_leaves_nothing_to_do_is_one_line(rendered_folder):
    """Ten frames hold none back, so `refine` cannot be judged, and nothing else was left."""
    request = fine_tune.Request(settings=('distil.steps=0',))
    request.check()
    with pytest.raises(MdepthError, match='too short to hold frames back') as told:
        fine_tune.choose_recipe(rendered_folder, request)
    assert '\n' not in str(told.value)
    always = replace(request, settings=(*request.settings, 'keep_refined=always'))
    assert fine_tune.choose_recipe(rendered_folder, always).refine.steps == fine_tune.REFINE_STEPS
