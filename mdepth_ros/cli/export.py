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

"""``mdepth export``: the networks as files for other runtimes."""

import argparse
from pathlib import Path
from typing import get_args

from mdepth_ros.cli.argument_types import network_size
from mdepth_ros.cli.engine_arguments import add_weights_argument
from mdepth_ros.cli.out_folder import make_folder
from mdepth_ros.config import EngineConfig, Method
from mdepth_ros.engine.export import DESCRIPTION, export, Format
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS, load_checkpoint


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare the command's arguments.

    :param parser: the parser to fill in.
    """
    parser.add_argument('--format', choices=get_args(Format), default='onnx', help='kind of files')
    parser.add_argument('--out', type=Path, default=Path('out/export'), metavar='DIR',
                        help='where they go')
    add_weights_argument(parser)
    default = EngineConfig()
    parser.add_argument('--size', type=network_size, default='640x192', metavar='WxH',
                        help="the networks' input, multiples of 32")
    parser.add_argument('--sources', type=int, choices=(1, 2, 3), default=default.sources,
                        help='past frames to match with')
    parser.add_argument('--method', choices=get_args(Method), default=default.method,
                        help='how to match: as this package does, or as the paper does')


def run(arguments: argparse.Namespace) -> int:
    """
    Export.

    :param arguments: the parsed command line.
    :return: 0.
    :raises MdepthError: if weights or the folder are of no use, or a file differs from PyTorch.
    """
    model = load_checkpoint(arguments.weights or DEFAULT_WEIGHTS)
    make_folder(arguments.out)
    for part in export(model, arguments.out, arguments.format, *arguments.size, arguments.sources,
                       arguments.method == 'robust'):
        print(f'{arguments.out / part.file}: differs from PyTorch by {part.error:.1e}')
    print(f'{arguments.out / DESCRIPTION}: shapes and names')
    return 0
