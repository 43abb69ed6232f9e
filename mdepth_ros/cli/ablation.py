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

"""``mdepth ablation``: what each part of the method is worth."""

import argparse
from pathlib import Path

from mdepth_ros.training.ablation.config import load_ablation
from mdepth_ros.training.ablation.run import run_ablation
from mdepth_ros.training.ablation.table import ablation_table
from mdepth_ros.whole_file import write_whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Describe the command line.

    :param parser: filled in.
    """
    parser.add_argument('file', type=Path, help='such as training/synthetic/ablation.yaml')
    parser.add_argument('settings', nargs='*', metavar='key=value', help='what to change in it')
    parser.add_argument('--out', type=Path, default=Path('out/ablation'),
                        help='folder of the trainings; what is there is not done again')


def run(arguments: argparse.Namespace) -> int:
    """
    Train, score, print the table.

    :param arguments: the command line.
    :return: exit status.
    """
    config = load_ablation(arguments.file, arguments.settings)
    run_ablation(config, arguments.out)
    table = ablation_table(arguments.out, config.seeds)
    write_whole(arguments.out / 'table.md', f'{table}\n'.encode())
    print(table)
    return 0
