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

"""``mdepth train``: a recipe, or a recording and nothing else."""

import argparse
from pathlib import Path
import time

import cv2
from mdepth_ros.cli.out_folder import source_name
from mdepth_ros.cli.unused_arguments import refuse
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.checkpoint import load_checkpoint, save_checkpoint
from mdepth_ros.training.datasets.catalogue import is_recording
from mdepth_ros.training.datasets.sequence import DataError, Sequence
from mdepth_ros.training.evaluation import before_after
from mdepth_ros.training.evaluation.evaluate import EvaluatedFrame
from mdepth_ros.training.fine_tune import choose_recipe, fit_steps, Request
from mdepth_ros.training.keep_scale import keep_scale
from mdepth_ros.training.loop.open_samples import open_parts
from mdepth_ros.training.loop.recipe import load_recipe, Recipe
from mdepth_ros.training.loop.start import start_weights
from mdepth_ros.training.loop.trainer import RECIPE, RESULT, speaks_for_all, train
from mdepth_ros.training.prepare.options import PrepareOptions
from mdepth_ros.training.prepare.prepare import prepare
from mdepth_ros.whole_file import write_whole

RECIPE_SUFFIXES = ('.yaml', '.yml')
MINUTES = 30.0
OF_RECORDINGS = 'camera_info', 'fov', 'image_topic'
Scored = tuple[before_after.Score, list[EvaluatedFrame]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Describe the command line.

    :param parser: filled in.
    """
    parser.add_argument('source', type=Path,
                        help='recipe.yaml, or a bag, video or frames folder to fine-tune on')
    parser.add_argument('settings', nargs='*', metavar='key=value',
                        help='what to change in the recipe, such as rounds=2; before '
                             'the options')
    parser.add_argument('--out', type=Path,
                        help='folder of the run; out/train/<source> if missing')
    parser.add_argument('--from', dest='start', metavar='WEIGHTS',
                        help="weights to start from: a file, 'default' or 'imagenet'; by default "
                             'what the recipe says, and the default weights for a recording')
    parser.add_argument('--resume', action='store_true', help='go on with the run that is there')
    parser.add_argument('--minutes', type=float,
                        help='of a recording, once it is prepared: how long to train and compare '
                             f'at most, by default {MINUTES:g}, unless distil.steps is given; '
                             'rounds and steps that are given stay, even if they take longer')
    parser.add_argument('--camera-info', type=Path, help='of a recording: camera_info YAML')
    parser.add_argument('--fov', type=float, help='of a video: horizontal angle of view [deg]')
    parser.add_argument('--image-topic', help='of a bag with several cameras: which one')


def run(arguments: argparse.Namespace) -> int:
    """
    Train.

    :param arguments: the command line.
    :return: exit status.
    :raises MdepthError: as the parts do.
    """
    source: Path = arguments.source
    out: Path = arguments.out or Path('out/train') / source_name(str(source))
    if source.suffix in RECIPE_SUFFIXES:
        refuse(arguments, 'recordings and frames folders', 'minutes')
        refuse(arguments, 'recordings', *OF_RECORDINGS)
        if arguments.resume and not (out / RECIPE).is_file():
            raise MdepthError(f'there is no run in {out} to go on with')
        recipe = load_recipe(source, _settings(arguments))
        result = train(recipe, out, arguments.resume)
        if speaks_for_all():
            print(f'weights: {result}')
        return 0
    if not source.exists():
        raise MdepthError(f'no recipe, bag, video or frames folder at {source}')
    _fine_tune(arguments, out)
    return 0


def _settings(arguments: argparse.Namespace) -> list[str]:
    """Return the changes to the recipe, those with a flag of their own included."""
    return [*arguments.settings, *([f'start={arguments.start}'] if arguments.start else [])]


def _fine_tune(arguments: argparse.Namespace, out: Path) -> None:
    """Prepare, choose settings, train, compare."""
    request = _request(arguments, out)
    data = _prepared(arguments, out)
    written = out / 'run' / RECIPE
    recipe = load_recipe(written) if written.is_file() else choose_recipe(data, request)
    if Path(recipe.data.source) != data.resolve():
        raise MdepthError(f'{written} is of {recipe.data.source}, not of {data}: choose another '
                          'folder with --out')
    width, height = recipe.data.width, recipe.data.height
    parts = open_parts(recipe.data)
    to_fit = not written.is_file() and not request.sets('distil.steps')
    began_s = time.monotonic()
    # Of its own: on a GPU the estimator takes the networks there.
    before = _score_start(parts.held_back, recipe)
    if to_fit:
        print('timing a few frames and training steps on this machine')
        # The comparison at the end takes as long as its first half took.
        left_s = 60 * request.minutes - 2 * (time.monotonic() - began_s)
        recipe = fit_steps(recipe, request, out / 'run', left_s)
    print(f'training: {recipe.rounds} rounds of {recipe.distil.steps} steps of S-DepthNet and '
          f'{recipe.refine.steps} of M-DepthNet, {recipe.batch} images of {width} x {height} px '
          f'each; all settings are in {out / "run" / RECIPE}')
    trained = load_checkpoint(train(recipe, out / 'run', resume=True))
    start = start_weights(recipe)
    scaled = keep_scale(start, trained, parts.learn, width, height)
    print(f'metric scale: {scaled.config.scale:.4g} m per network unit, '
          f'{scaled.config.scale / trained.config.scale:.3f} times what it was, so that depth '
          'stays in metres')
    keep = before is None or _is_better(
        before, before_after.score(scaled, parts.held_back, recipe), out)
    notes = f'mdepth train, {arguments.source.name}'
    if not keep:
        print(f'KEPT THE WEIGHTS THAT IT STARTED FROM: training made the photometric error on the '
              f'held-back frames larger; what it gave is {out / "run" / RESULT}')
        notes += ': it did not help, these are the weights that it started from'
    save_checkpoint(scaled if keep else start, out / RESULT, notes=notes)
    print(f'weights: {out / RESULT}')


def _score_start(held_back: list[Sequence], recipe: Recipe) -> Scored | None:
    """Score what training starts from on frames that it will not learn from, if these can tell."""
    if not held_back:
        print('no frames are held back, the recording is too short or data.held_back is 0: no '
              'comparison')
        return None
    try:
        return before_after.score(start_weights(recipe), held_back, recipe)
    except DataError as error:
        print(f'no comparison on the frames that were held back: {error}')
        return None


def _is_better(start: Scored, trained: Scored, out: Path) -> bool:
    """
    Compare start and result on frames that neither learned from.

    In every round they chose which M-DepthNet stays, by how its depth changes from frame to frame:
    that number is a little too good.
    """
    (before, frames_before), (after, frames_after) = start, trained
    print(before_after.text_report(before, after))
    picture = before_after.draw(frames_before, frames_after)
    write_whole(out / 'report.json', before_after.json_report(before, after).encode())
    write_whole(out / 'before_after.png', cv2.imencode('.png', picture[..., ::-1])[1].tobytes())
    print(f'comparison: {out / "before_after.png"}, {out / "report.json"}')
    return after.photometric.capped <= before.photometric.capped


def _request(arguments: argparse.Namespace, out: Path) -> Request:
    """Return what the user asks for; a run that is there can only go on as it began."""
    start = arguments.start or 'default'
    if Path(start).is_file():  # absolute: the run may be gone on with from another folder
        start = str(Path(start).resolve())
    minutes = MINUTES if arguments.minutes is None else arguments.minutes
    request = Request(start, minutes, tuple(arguments.settings))
    written = out / 'run' / RECIPE
    if written.is_file() and not arguments.resume:
        raise MdepthError(f'{out} holds a training run: go on with it with --resume, or '
                          'choose another folder with --out')
    if written.is_file() and (arguments.settings or arguments.start or arguments.minutes):
        raise MdepthError(f'a run goes on with the settings that it began with, see {written}: '
                          'leave out --from, --minutes and key=value, or choose another folder '
                          'with --out')
    request.check()
    return request


def _prepared(arguments: argparse.Namespace, out: Path) -> Path:
    """Return the frames: the source itself, or what it is prepared to."""
    if not is_recording(arguments.source):
        refuse(arguments, 'recordings', *OF_RECORDINGS)
        return Path(arguments.source)
    print(prepare([arguments.source], out / 'data', PrepareOptions(
        image_topic=arguments.image_topic, camera_info=arguments.camera_info,
        fov_deg=arguments.fov)).text())
    return out / 'data'
