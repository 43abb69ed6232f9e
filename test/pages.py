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

"""The Markdown pages: what they tell people to type, their tables and their YAML."""

import ast
from pathlib import Path
import re
import shlex

ROOT = Path(__file__).resolve().parents[1]
PAGES = {str(path.relative_to(ROOT)): path.read_text() for path in sorted(
    [*ROOT.glob('*.md'), *(ROOT / 'docs').glob('*.md'), ROOT / 'training/README.md',
     *(ROOT / 'mdepth_ros/weights').glob('*.md')])}


def blocks(text, language):
    """Return the fenced blocks of a language, also those inside a list."""
    found = re.findall(rf'^( *)```{language}\n(.*?)^\1```', text, re.DOTALL | re.MULTILINE)
    return [re.sub(f'^{indent}', '', body, flags=re.MULTILINE) for indent, body in found]


def commands_of(text):
    """Return the lines of the bash blocks."""
    return [line for block in blocks(text, 'bash') for line in block.splitlines() if line]


COMMANDS = {line: page for page, text in PAGES.items() for line in commands_of(text)}


def starting(*beginnings):
    """Return the commands of all pages that begin with some words, each once."""
    return [line for line in COMMANDS if line.startswith(beginnings)]


def is_mdepth(command):
    """Whether it calls our command line, maybe through another program."""
    return 'mdepth' in shlex.split(command)


def mdepth_words(command):
    """Return the words after `mdepth`; the program may have a path in front."""
    words = shlex.split(command)
    return words[[Path(word).name for word in words].index('mdepth') + 1:]


def tables(text, first_cell):
    """All tables whose head begins with a cell: their rows, as lists of cells."""
    found = re.findall(rf'\| {first_cell} \|.*\n\|[-|]+\|\n((?:\|.*\n?)+)', text)
    return [[[cell.strip() for cell in row.strip('|').split('|')] for row in rows.splitlines()]
            for rows in found]


def launch_arguments():
    """Read the names that the launch file declares: launch may not be installed."""
    for node in ast.parse((ROOT / 'launch/depth.launch.py').read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == 'ARGUMENTS':
            return {key.value for key in node.value.keys}
    raise AssertionError('no ARGUMENTS in the launch file')


def messages_of(package):
    """
    All texts in the code of a package, with `…` for what an f-string fills in.

    :param package: its folder.
    """
    texts = set()
    for path in sorted(package.rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                texts.add(''.join(part.value if isinstance(part, ast.Constant) else '…'
                                  for part in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
    return texts


def flat(tree, prefix=''):
    """Nested parameters to dotted names."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f'{prefix}{key}.')
        else:
            yield prefix + key, value
