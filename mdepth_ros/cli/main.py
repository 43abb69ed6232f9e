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

"""The command line: ``mdepth <command>``."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
import importlib
import keyword
import signal
import sys
from types import FrameType, ModuleType
from typing import NoReturn

from mdepth_ros.cli.needed_modules import modules_for
from mdepth_ros.errors import MdepthError


@dataclass(frozen=True)
class Command:
    """What a command does, and the extra in setup.cfg without which it cannot."""

    text: str
    extra: str | None = None


# Each names a module here (`import` is import_.py), or a folder whose module `command` it is, with
# `add_arguments(parser)` and `run(arguments) -> int`; it is imported only when it is used, because
# some need ROS and some the training extra.
COMMANDS = {
    'demo': Command(
        'run the node on a bag, a video, images or a made-up drive, and report', 'tools'),
    'predict': Command(
        'write the depth of a bag, a video, a folder of images or a live camera', 'tools'),
    'prepare': Command(
        'turn bags and videos into folders of rectified frames for training', 'training'),
    'train': Command('train from a recipe, or fine-tune on a recording', 'training'),
    'evaluate': Command(
        'compare single-frame and multi-frame depth with the true depth of a data set',
        'training'),
    'robustness': Command(
        'measure how far a robot can trust the depth, by scene, camera, rate and event',
        'training'),
    'import': Command('turn the .pth files that others published into one weights file'),
    'export': Command('write the networks as files for ONNX Runtime, TensorRT or OpenVINO'),
    'bench': Command('measure how fast the networks run here'),
    'soak': Command(
        'run the node under load for as long as asked, and judge whether it lasts', 'tools'),
    'ablation': Command('measure what each part of the method is worth', 'training'),
    'doctor': Command('check this computer and the cameras that ROS sees, and say what to do'),
}


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows defaults, where there is something to show."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        nothing = action.default in (None, []) or action.default is False
        return action.help if nothing else super()._get_help_string(action)


def build_parser(command: str | None) -> argparse.ArgumentParser:
    """
    Build the parser.

    :param command: the command whose arguments are needed, if any.
    :return: the parser of all commands; only that one's arguments are filled in.
    """
    parser = argparse.ArgumentParser(
        prog='mdepth', description='Monocular depth for ROS 2: everything beside the node.')
    commands = parser.add_subparsers(dest='command', metavar='command', required=True)
    for name, entry in COMMANDS.items():
        child = commands.add_parser(
            name, help=entry.text, description=entry.text[0].upper() + entry.text[1:] + '.',
            formatter_class=_HelpFormatter)
        if name == command:
            command_module(name).add_arguments(child)
    return parser


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """
    Parse a command line.

    :param arguments: its words, without the program's name.
    :return: the command and its arguments.
    :raises SystemExit: with status 2 if something is unknown or missing.
    """
    command = next((word for word in arguments if not word.startswith('-')), None)
    return build_parser(command).parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command.

    :param arguments: the command line, by default the process's.
    :return: exit status: 0, 1 for a known error (one line on stderr), 130 when interrupted.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    # They unwind like Ctrl-C, so that no child process and no half-written file stays behind;
    # under nohup a closed terminal does not end it.
    previous = {number: signal.signal(number, _interrupt)
                for number in (signal.SIGTERM, signal.SIGHUP)
                if signal.getsignal(number) is not signal.SIG_IGN}
    try:
        parsed = parse(arguments)
        return int(command_module(parsed.command).run(parsed))
    except MdepthError as error:
        print(f'mdepth: error: {error}', file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f'mdepth: error: {error.filename}: {error.strerror}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('mdepth: interrupted', file=sys.stderr)
        return 130
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def command_module(command: str) -> ModuleType:
    """
    Import the module of a command.

    :param command: one of ``COMMANDS``.
    :return: the module with its ``add_arguments`` and ``run``.
    :raises MdepthError: if one of its libraries is not installed, and what to install.
    """
    name = f'mdepth_ros.cli.{command}{"_" * keyword.iskeyword(command)}'
    with modules_for(command, COMMANDS[command].extra):
        module = importlib.import_module(name)
        is_folder = hasattr(module, '__path__')
        return importlib.import_module(f'{name}.command') if is_folder else module


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """Turn a signal into the exception that Ctrl-C raises."""
    raise KeyboardInterrupt


if __name__ == '__main__':
    sys.exit(main())
