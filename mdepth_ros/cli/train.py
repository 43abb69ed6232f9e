"""``mdepth train``: a recipe, or a recording and nothing else."""

import argparse
from pathlib import Path

import cv2

from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS
from mdepth_ros.training.datasets.catalogue import is_recording
from mdepth_ros.training.evaluation import before_after
from mdepth_ros.training.fine_tune import Budget, choose_recipe
from mdepth_ros.training.loop.open_samples import open_parts
from mdepth_ros.training.loop.recipe import Recipe, load_recipe
from mdepth_ros.training.loop.trainer import RECIPE, train
from mdepth_ros.training.prepare.options import PrepareOptions
from mdepth_ros.training.prepare.prepare import prepare

RECIPE_SUFFIXES = ('.yaml', '.yml')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Describe the command line.

    :param parser: filled in.
    """
    parser.add_argument('source', type=Path,
                        help='recipe.yaml, or a bag, video or frames folder to fine-tune on')
    parser.add_argument('settings', nargs='*', metavar='key=value',
                        help='what to change in the recipe, such as teacher.steps=1000')
    parser.add_argument('--out', type=Path,
                        help='folder of the run; out/train/<source> if missing')
    parser.add_argument('--from', dest='start', metavar='WEIGHTS',
                        help="weights to start from: a file, 'default' or 'imagenet'; by default "
                             'what the recipe says, and the default weights for a recording')
    parser.add_argument('--resume', action='store_true', help='go on with the run that is there')
    parser.add_argument('--minutes', type=float, default=30.0,
                        help='of a recording: how long to train at most')
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
    out: Path = arguments.out or Path('out/train') / source.stem
    if source.suffix in RECIPE_SUFFIXES:
        recipe = load_recipe(source, _settings(arguments))
        print(f'weights: {train(recipe, out, arguments.resume)}')
        return 0
    if not source.exists():
        raise MdepthError(f'no recipe, bag, video or frames folder at {source}')
    _fine_tune(arguments, out)
    return 0


def _settings(arguments: argparse.Namespace) -> list[str]:
    """Changes to the recipe, those with a flag of their own included."""
    return [*arguments.settings, *([f'start={arguments.start}'] if arguments.start else [])]


def _fine_tune(arguments: argparse.Namespace, out: Path) -> None:
    """Prepare, choose settings, train, compare."""
    recipe = _recipe_of_recording(arguments, out)
    width, height = recipe.data.width, recipe.data.height
    held_back = open_parts(recipe.data).held_back
    result = train(recipe, out / 'run', resume=True)
    print(f'weights: {result}')
    if not held_back:
        print('the recording is too short to hold frames back: no comparison')
        return
    first = DEFAULT_WEIGHTS if recipe.start == 'default' else Path(recipe.start)
    before, frames_before = before_after.score(first, held_back, width, height)
    after, frames_after = before_after.score(result, held_back, width, height)
    print(before_after.text_report(before, after))
    (out / 'report.json').write_text(before_after.json_report(before, after))
    picture = before_after.draw(frames_before, frames_after)
    cv2.imwrite(str(out / 'before_after.png'), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    print(f'picture: {out / "before_after.png"}')


def _recipe_of_recording(arguments: argparse.Namespace, out: Path) -> Recipe:
    """The run's own recipe where there is one, else one for this recording and machine."""
    written = out / 'run' / RECIPE
    if written.is_file():
        if not arguments.resume:
            raise MdepthError(f'{out} holds a training run: go on with it with --resume, or '
                              'choose another folder with --out')
        return load_recipe(written)
    data: Path = arguments.source
    if is_recording(data):
        data = out / 'data'
        report = prepare([arguments.source], data, PrepareOptions(
            image_topic=arguments.image_topic, camera_info=arguments.camera_info,
            fov_deg=arguments.fov))
        print(report)
    recipe = choose_recipe(data, arguments.start or 'default', Budget(arguments.minutes))
    return recipe
