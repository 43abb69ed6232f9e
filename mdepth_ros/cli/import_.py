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

"""``mdepth import``: weights that others published, as one file for the node."""

import argparse
from pathlib import Path

from mdepth_ros.cli.out_folder import make_folder
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.checkpoint import save_checkpoint
from mdepth_ros.networks.published import load_published, PublishedModel

TERMS = ('mdepth_ros ships none of these weights and its licence does not cover them: ask their '
         'authors before any commercial use.')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare the command's arguments.

    :param parser: the parser to fill in.
    """
    parser.add_argument('folder', type=Path, metavar='DIR',
                        help='with the .pth files of this method, monodepth2 (ResNet-18) or '
                        'MOVEDepth, by any names')
    parser.add_argument('--out', type=Path, metavar='FILE',
                        help='default: out/import/DIR.safetensors')


def run(arguments: argparse.Namespace) -> int:
    """
    Import.

    :param arguments: the parsed command line.
    :return: 0.
    :raises MdepthError: if a file cannot be read or does not fit, or a part is missing.
    """
    if not arguments.folder.is_dir():
        raise MdepthError(f'there is no folder {arguments.folder}')
    published = load_published(arguments.folder)
    out = arguments.out or Path(f'out/import/{arguments.folder.resolve().name}.safetensors')
    make_folder(out.parent)
    origin = published.origin
    save_checkpoint(published.model, out, notes=f'{origin.name}; licence: {origin.licence}')
    print(_text(published))
    print(f'{out}: for the parameter weights, with method: '
          + ('published for what the paper does' if published.model.config.multi_frame
             else 'robust or published, single-frame with either'))
    return 0


def _text(published: PublishedModel) -> str:
    """Say what was found, what was not, and on which terms."""
    config, origin = published.model.config, published.origin
    lines = [f'{origin.name}, {config.width}x{config.height}',
             *(f'  {part:18s} {file}' for part, file in published.files.items()),
             *(f'  not used: {text}' for text in published.unused),
             *(f'  missing: {text}' for text in published.missing),
             '  missing: TrustNet, which no one else has: the confidence is not calibrated',
             f'licence: {origin.licence}. {TERMS}']
    return '\n'.join(lines)
