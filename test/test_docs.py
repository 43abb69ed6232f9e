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

"""What the pages tell people to type exists, links lead somewhere, and quotes are exact."""

import configparser
import itertools
import os
import re
import shlex
import subprocess
import sys

from mdepth_ros.cli.main import COMMANDS as MDEPTH_COMMANDS
from mdepth_ros.cli.main import parse
from mdepth_ros.engine.frames import Mode
from mdepth_ros.engine.scale.state import ScaleState
from mdepth_ros.training.loop.recipe import load_recipe
from pages import (
    COMMANDS,
    commands_of,
    is_mdepth,
    launch_arguments,
    mdepth_words,
    messages_of,
    PAGES,
    ROOT,
    starting,
    tables,
)
import pytest

# Other programs, whose options are not ours to check.
OTHERS = ('python3 -m colcon build ', 'python3 -m venv ', 'rosdep install ', 'source ',
          'export FAST', 'pip install ', 'tensorboard ', 'git clone ', 'cd ', 'python -m pytest',
          'ros2 run tf2_ros static_transform_publisher ')


def test_every_command_is_checked():
    checked = {*starting('make ', 'ros2 param ', 'ros2 topic ', 'ros2 service ', 'sh ',
                         'ros2 lifecycle ', 'ros2 launch ', 'ros2 run depthimage',
                         'ros2 run pointcloud', *OTHERS), *filter(is_mdepth, COMMANDS)}
    assert set(COMMANDS) - checked == set()


@pytest.mark.parametrize('command', starting('make '))
def test_make(command):
    # `make test ARGS=...` may be what runs this: the inner make must not know of it.
    environment = {k: v for k, v in os.environ.items()
                   if not k.startswith(('MAKE', 'MFLAGS', 'ARGS', 'WORKERS'))}
    done = subprocess.run([*shlex.split(command), '--dry-run'], cwd=ROOT, capture_output=True,
                          text=True, check=True, env=environment)
    # The last line is what make would run; its options must be ones that the command has.
    line = done.stdout.strip().splitlines()[-1]
    if 'demo' in command:
        parsed = parse(mdepth_words(line))
        for word in shlex.split(command)[2:]:
            value = word.partition('=')[2]
            assert value in map(str, vars(parsed).values()) or float(value) == parsed.fov, word
    elif 'test' in command:
        words = shlex.split(line)
        assert set(shlex.split(command.partition('ARGS=')[2].strip("'"))) <= set(words)
        assert 'pytest' in words


@pytest.mark.parametrize(('version', 'fits'), [
    ((3, 9, 20), False), ((3, 10, 0), True), ((3, 13, 9), True), ((3, 14, 0), False)])
def test_make_names_the_pythons_that_it_can_use(tmp_path, version, fits):
    python = tmp_path / 'python'
    pretend = f'import sys; sys.version_info = {version}; exec(sys.argv[1])'
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{pretend}" "$2"\n')
    python.chmod(0o755)
    # Where it fits, it stops at `-m venv` instead.
    done = subprocess.run(['make', 'venv', f'PYTHON={python}', f'VENV={tmp_path}/venv'], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 2
    assert ('name one, as PYTHON=python3.13' in done.stderr) is not fits
    assert ("name 'venv' is not defined" in done.stderr) is fits


@pytest.mark.parametrize('command', list(filter(is_mdepth, COMMANDS)))
def test_mdepth(command):
    parsed = parse(mdepth_words(command))
    # A recipe in the repository, or one that an earlier command leaves in its --out.
    if parsed.command == 'train' and parsed.source.suffix == '.yaml' and not parsed.resume:
        recipe = load_recipe(ROOT / parsed.source, parsed.settings)
        machines, each = (int(re.search(rf'--{option} (\d+)|$', command)[1] or 1)
                          for option in ('nnodes', 'nproc-per-node'))
        assert recipe.batch % (machines * each) == 0


def test_every_mdepth_command_is_told_of():
    named = {word for row in tables(PAGES['docs/commands.md'], 'command')[0]
             for word in re.findall('`([a-z]+)`', row[0])}
    assert named == set(MDEPTH_COMMANDS)


@pytest.mark.parametrize('command', starting('ros2 launch mdepth_ros '))
def test_launch(command):
    file, *arguments = shlex.split(command)[3:]
    assert (ROOT / 'launch' / file).is_file()
    assert {argument.split(':=')[0] for argument in arguments} <= launch_arguments()


@pytest.mark.parametrize('command', starting('sh '))
def test_script(command):
    assert (ROOT / shlex.split(command)[1]).is_file()


def anchors(text):
    """Return what headings are called in links."""
    heads = re.findall('^#+ (.*)$', text, re.MULTILINE)
    return {re.sub('[^a-z0-9 -]', '', head.lower()).replace(' ', '-') for head in heads}


@pytest.mark.parametrize('page', PAGES)
def test_links_lead_somewhere(page):
    prose = re.sub(r'```.*?```', '', PAGES[page], flags=re.DOTALL)
    for target in re.findall(r'\]\(([^)]+)\)', prose.replace('\n', ' ')):
        if target.startswith('http'):
            continue
        path, _, anchor = target.partition('#')
        found = (ROOT / page).parent / path if path else ROOT / page
        assert found.is_file(), target
        if anchor:
            assert anchor in anchors(found.read_text()), target


def test_every_page_is_linked_from_the_readme():
    for page in PAGES:
        assert page == 'README.md' or f'({page}' in PAGES['README.md'], page


def test_what_it_says_is_what_the_code_says():
    texts = messages_of(ROOT / 'mdepth_ros')
    whole = {f'waiting: {text}' for text in texts} | {
        f'{mode.value}, scale {state.value}'
        for mode, state in itertools.product(Mode, ScaleState)}
    assert 'waiting: …' in texts
    assert '…, scale …' in texts
    said = [span for rows in tables(PAGES['docs/troubleshooting.md'], 'it says') for row in rows
            for span in re.findall('`([^`]+)`', row[0])]
    assert len(said) > 40
    unknown = [span for span in said
               if span not in whole and not any(span in text for text in texts)]
    assert unknown == []


def test_the_setuptools_that_colcon_needs_is_what_every_way_installs():
    lost = re.search(r'setuptools (\d+)\s+or newer', PAGES['docs/troubleshooting.md'])[1]
    pinned = re.search(r'^setuptools==(\d+)', (ROOT / 'constraints.txt').read_text(), re.MULTILINE)
    assert int(pinned[1]) < int(lost)
    # pip brings the newest one with torch.
    installs = starting("pip install 'torch")
    assert installs
    assert all(f"'setuptools<{lost}'" in command for command in installs)


def test_the_figure_is_drawn(tmp_path):
    subprocess.run([sys.executable, str(ROOT / 'docs/pipeline.py'), str(tmp_path)], check=True)
    names = [set(re.findall('>([^<>]+)</text>', path.read_text()))
             for path in (tmp_path / 'pipeline.svg', ROOT / 'docs/pipeline.svg')]
    assert names[0] == names[1]
    assert {'S-DepthNet', 'M-DepthNet', 'TrustNet'} <= names[0]


def test_the_guide_installs_all_of_the_extra():
    setup = configparser.ConfigParser(inline_comment_prefixes='#')
    setup.read(ROOT / 'setup.cfg')
    extra = setup['options.extras_require']['training'].split()
    assert any(command.startswith(f'pip install {" ".join(extra)} "numpy==')
               for command in commands_of(PAGES['training/README.md']))
