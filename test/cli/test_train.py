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

"""``mdepth train`` as someone with a bag and nothing else uses it."""

import json
import os
import signal
import subprocess
import sys
import time

from bags import write_bag
from camera_messages import camera_info, image, ROS2
import cv2
from mdepth_ros.cli.main import main
from mdepth_ros.engine.camera import Camera
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS, load_checkpoint
from mdepth_ros.training import fine_tune
from mdepth_ros.training.evaluation import before_after
from mdepth_ros.training.synthetic import render_sequence, SceneConfig
from processes import heed_signals, running, stat_of
import pytest
import torch
import yaml

pytestmark = pytest.mark.usefixtures('in_torch')

SMALL = ['data.width=64', 'data.height=64', 'batch=2', 'devices.accelerator=cpu']
ONE = [*SMALL, 'devices.processes=1', 'data.held_back=0.25']


@pytest.fixture(scope='module')
def rendered():
    return render_sequence(SceneConfig('handheld', 64, 64, frames=28, moving_objects=False), 3)


def write(rendered, path, info=True, frames=28):
    """Write a bag with true depth, as an mcap file."""
    camera = Camera(64, 64, rendered.K.double().numpy())
    images = (rendered.images * 255).round().byte().permute(0, 2, 3, 1).numpy()
    depth = rendered.depth[:, 0].clamp(max=60.0).numpy()
    messages = []
    for i in range(frames):
        stamp = 1_700_000_000_000_000_000 + i * 66_000_000
        messages += [('/cam/camera_info', stamp, camera_info(ROS2, stamp, camera))] if info else []
        messages += [('/cam/image_rect', stamp, image(ROS2, stamp, images[i])),
                     ('/depth/image', stamp, image(ROS2, stamp, depth[i], '32FC1'))]
    write_bag(path.parent / f'{path.stem}_folder', 'mcap', messages)
    next(path.parent.glob(f'{path.stem}_folder/*.mcap')).rename(path)
    return path


@pytest.fixture(scope='module')
def bag(rendered, tmp_path_factory):
    return write(rendered, tmp_path_factory.mktemp('bag') / 'walk.mcap')


@pytest.fixture(scope='module')
def trained(bag, tmp_path_factory, in_torch):
    """Finish a fine-tuning with a time for it, started in an empty folder."""
    here = tmp_path_factory.mktemp('here')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        # What a killed process left while it measured.
        (here / 'X/run/timing').mkdir(parents=True)
        (here / 'X/run/timing/recipe.yaml').write_text('half')
        assert main(['train', str(bag), *ONE, '--minutes', '0.03', '--out', 'X']) == 0
    return here / 'X'


def one_line(capsys):
    """Return the only line that an error may have."""
    lines = capsys.readouterr().err.strip().splitlines()
    told = [line for line in lines if line.startswith('mdepth: error: ')]
    assert lines[-1:] == told
    assert not any('Traceback' in line for line in lines)
    return told[0]


def test_a_bag_becomes_weights_report_and_picture(trained):
    assert {path.name for path in trained.iterdir()} == {
        'data', 'run', 'model.safetensors', 'report.json', 'before_after.png'}
    assert load_checkpoint(trained / 'model.safetensors').config.profile == 'lite'
    recipe = yaml.safe_load((trained / 'run/recipe.yaml').read_text())
    assert (recipe['batch'], recipe['data']['width'], recipe['start']) == (2, 64, 'default')
    assert 1 <= recipe['distil']['steps'] <= 200
    assert recipe['teacher']['steps'] == 0
    report = json.loads((trained / 'report.json').read_text())
    for name in ('before', 'after'):
        assert 0 < report[name]['photometric']['multi'] < report[name]['photometric']['identity']
        assert 0 < report[name]['abs_rel_multi'] < 1
    assert cv2.imread(str(trained / 'before_after.png')).shape[1] == 5 * 64
    assert not (trained / 'run/timing').exists()


def test_the_time_is_for_the_comparison_too(bag, tmp_path, monkeypatch, capsys):
    """Scoring alone takes longer than the user wants to wait: what is left is for one step."""
    score = before_after.score

    def slow(*arguments):
        time.sleep(2.0)
        return score(*arguments)

    monkeypatch.setattr(before_after, 'score', slow)
    monkeypatch.setattr(fine_tune, 'seconds_per_step', lambda *_: 0.01)
    monkeypatch.setattr(fine_tune, 'seconds_per_frame', lambda *_: 0.01)
    assert main(['train', str(bag), *ONE, '--minutes', '0.05', '--out', str(tmp_path / 'X')]) == 0
    assert 'training: 1 rounds of 1 steps' in capsys.readouterr().out


def test_weights_that_got_worse_are_not_taken(bag, tmp_path, capsys):
    """A rate that ruins them; the start's own depth comes out, and the ruin beside it."""
    out = tmp_path / 'X'
    assert main(['train', str(bag), *ONE, 'distil.steps=1', 'rounds=1', 'teacher.steps=6',
                 'teacher.rate=0.01', 'refine.steps=0', 'hold_start=0', '--out', str(out)]) == 0
    assert 'KEPT THE WEIGHTS THAT IT STARTED FROM' in capsys.readouterr().out
    start, kept, ruined = (load_checkpoint(path) for path in (
        DEFAULT_WEIGHTS, out / 'model.safetensors', out / 'run/model.safetensors'))
    assert kept.config == start.config
    assert all(torch.equal(value, start.state_dict()[name])
               for name, value in kept.state_dict().items())
    assert not torch.equal(next(kept.single.parameters()), next(ruined.single.parameters()))
    report = json.loads((out / 'report.json').read_text())
    before, after = (report[name]['photometric'] for name in ('before', 'after'))
    assert after['capped'] > before['capped']


def test_a_finished_run_only_reports_again(trained, bag, capsys):
    before = load_checkpoint(trained / 'model.safetensors')
    assert main(['train', str(bag), '--out', str(trained), '--resume']) == 0
    printed = capsys.readouterr()
    assert f'weights: {trained / "model.safetensors"}' in printed.out
    for word in ('28 of 28 images', 'metric scale', 'held-back frames', 'AbsRel'):
        assert word in printed.out
    assert 'GLOBAL_RANK' not in printed.err
    after = load_checkpoint(trained / 'model.safetensors')
    assert after.config == before.config
    assert all(torch.equal(value, after.state_dict()[name])
               for name, value in before.state_dict().items())


def test_its_weights_can_be_fine_tuned_further(trained, tmp_path, capsys):
    frames = next((trained / 'data').glob('*/*/frames.json')).parent
    start = str(trained / 'model.safetensors')
    assert main(['train', str(frames), *SMALL, 'devices.processes=1', 'distil.steps=1',
                 'distil.rate=1e-6', '--from', start, '--out', str(tmp_path / 'Y')]) == 0
    recipe = yaml.safe_load((tmp_path / 'Y/run/recipe.yaml').read_text())
    assert (recipe['distil']['steps'], recipe['start']) == (1, start)
    assert 'the recording is too short' in capsys.readouterr().out
    scales = [load_checkpoint(path / 'model.safetensors').config.scale
              for path in (trained, tmp_path / 'Y')]
    assert scales[1] == pytest.approx(scales[0], rel=0.2)


@pytest.mark.parametrize(('words', 'problem'), [
    (['distil.stepz=3'], 'distil.stepz'),
    (['distil.steps=many'], 'distil.steps'),
    (['other.mcap'], "expected key=value after the recipe, got 'other.mcap'"),
    (['--minutes', '0'], 'minutes must be > 0'),
    (['--from', 'none.safetensors'], 'none.safetensors'),
    (['--from', 'imagenet'], 'start from default or a weights file'),
    (['--image-topic', '/other'], '/other'),
    (['data.held_back=0'], 'keep_refined must be always'),
])
def test_what_cannot_be_is_told_at_once(bag, tmp_path, capsys, words, problem):
    assert main(['train', str(bag), *words, '--out', str(tmp_path / 'X')]) == 1
    assert problem in one_line(capsys)
    assert not (tmp_path / 'X').exists()


def test_recordings_that_do_not_do(rendered, tmp_path, capsys):
    out = ['--out', str(tmp_path / 'X')]
    assert main(['train', str(tmp_path / 'none.mcap'), *out]) == 1
    assert 'no recipe, bag, video or frames folder at' in one_line(capsys)
    unknown = write(rendered, tmp_path / 'unknown.mcap', info=False, frames=8)
    assert main(['train', str(unknown), *out]) == 1
    assert '--camera-info' in one_line(capsys)
    short = write(rendered, tmp_path / 'short.mcap', frames=2)
    assert main(['train', str(short), *out]) == 1
    assert 'nothing is left of short.mcap' in one_line(capsys)


def test_a_run_that_is_there_is_not_mixed_up(trained, bag, rendered, tmp_path, capsys):
    there = ['--out', str(trained)]
    assert main(['train', str(bag), *there]) == 1
    assert 'go on with it with --resume' in one_line(capsys)
    assert main(['train', str(bag), 'batch=4', *there, '--resume']) == 1
    assert 'goes on with the settings that it began with' in one_line(capsys)
    other = write(rendered, tmp_path / 'other.mcap', frames=12)
    assert main(['train', str(other), *there, '--resume']) == 1
    assert 'other.mcap' in one_line(capsys)
    frames = next((trained / 'data').glob('*/*/frames.json')).parent
    assert main(['train', str(frames), *there, '--resume']) == 1
    assert f'is of {trained / "data"}, not of {frames}' in one_line(capsys)


def test_options_that_a_source_would_ignore_are_refused(trained, tmp_path, capsys):
    out = ['--out', str(tmp_path / 'X')]
    recipe = tmp_path / 'recipe.yaml'
    assert main(['train', str(recipe), '--minutes', '5', *out]) == 1
    assert '--minutes is for recordings and frames folders alone' in one_line(capsys)
    assert main(['train', str(recipe), '--fov', '60', *out]) == 1
    assert '--fov is for recordings alone' in one_line(capsys)
    assert main(['train', str(recipe), '--resume', *out]) == 1
    assert f'there is no run in {tmp_path / "X"} to go on with' in one_line(capsys)
    frames = next((trained / 'data').glob('*/*/frames.json')).parent
    assert main(['train', str(frames), '--image-topic', '/a', *out]) == 1
    assert '--image-topic is for recordings alone' in one_line(capsys)
    assert not (tmp_path / 'X').exists()


def processes_of(session):
    """Everything that runs in a session, but for what is dead and not yet buried."""
    return [pid for pid in running()
            if (stat := stat_of(pid)) and int(stat[3]) == session and stat[0] != 'Z']


@pytest.mark.parametrize('end', [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_leaves_no_process(bag, tmp_path, end):
    out = tmp_path / 'X'
    words = ['train', str(bag), *SMALL, 'devices.processes=2', 'distil.steps=4000',
             'loop.save_every_s=0', '--out', str(out)]
    with subprocess.Popen(
            [sys.executable, '-m', 'mdepth_ros.cli.main', *words], start_new_session=True,
            stderr=subprocess.PIPE, text=True,
            preexec_fn=heed_signals) as run:
        deadline = time.monotonic() + 300
        while not (out / 'run/state.pt').exists() and run.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert len(processes_of(run.pid)) >= 3
        if end == signal.SIGKILL:
            run.kill()
        else:  # a terminal sends Ctrl-C to all of them
            os.killpg(run.pid, end)
        told = run.communicate(timeout=20)[1]
    deadline = time.monotonic() + 10
    while processes_of(run.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes_of(run.pid)
    assert 'Traceback' not in told
    assert run.returncode == (-signal.SIGKILL if end == signal.SIGKILL else 130)
