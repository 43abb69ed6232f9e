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

"""The shipped configurations fit the code that reads them."""

import configparser
from pathlib import Path
import re
import shutil
import subprocess
import sys
import zipfile

from mdepth_ros.ros.parameters import NodeParameters, SPECS
from mdepth_ros.ros.publishers import TOPICS
from mdepth_ros.training.evaluation.data import shipped_kitti_split
from pages import flat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / 'config'


def test_depth_yaml_has_every_parameter_with_its_default():
    tree = yaml.safe_load((CONFIG / 'depth.yaml').read_text())
    assert dict(flat(tree['/**']['ros__parameters'])) == {
        name: spec.default for name, spec in SPECS.items()}
    NodeParameters()


def test_depth_yaml_explains_every_parameter():
    lines = (CONFIG / 'depth.yaml').read_text().splitlines()
    texts = {lines[i - 1].strip() for i, line in enumerate(lines) if i}
    for spec in SPECS.values():
        tag = ' [dynamic]' if spec.dynamic else ''
        assert f'# {spec.text}{tag}' in texts, spec.name


def name_of(requirement):
    """Return the package that a requirement is about."""
    return re.match('[A-Za-z0-9_.-]+', requirement)[0]


@pytest.fixture(scope='module')
def build(tmp_path_factory):
    """Return what setuptools says while pip makes the wheel, and the wheel's path."""
    source = tmp_path_factory.mktemp('source')
    # A copy: the build leaves folders behind, and the ones that are there may be stale.
    for name in ('mdepth_ros', 'config', 'launch', 'resource', 'training'):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns('__pycache__'))
    for name in ('setup.py', 'setup.cfg', 'pyproject.toml', 'package.xml', 'README.md', 'LICENSE'):
        shutil.copy(ROOT / name, source)
    done = subprocess.run(
        [sys.executable, '-m', 'pip', '--disable-pip-version-check', 'wheel', '--verbose',
         '--no-deps', '--no-build-isolation', '--no-index', '--wheel-dir', 'dist', '.'],
        cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    path, = (source / 'dist').glob('*.whl')
    return done.stdout + done.stderr, path


@pytest.fixture(scope='module')
def wheel(build):
    """Sizes of the files of the wheel, by name."""
    _, path = build
    with zipfile.ZipFile(path) as archive:
        return {info.filename: info.file_size for info in archive.infolist()}


def test_all_of_it_is_installed(wheel):
    # pip and colcon put this folder into the prefix.
    share = {name.partition('.data/data/share/')[2] for name in wheel}
    training = (path for path in (ROOT / 'training').rglob('*') if path.is_file())
    assert {f'mdepth_ros/{path.relative_to(ROOT)}' for path in
            [*CONFIG.iterdir(), *(ROOT / 'launch').glob('*.py'), *training]} <= share
    assert {'mdepth_ros/package.xml', 'ament_index/resource_index/packages/mdepth_ros'} <= share
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / 'mdepth_ros').rglob('*.py')}
    assert modules == {name for name in wheel
                       if name.startswith('mdepth_ros/') and name.endswith('.py')}


def test_the_build_has_nothing_to_warn_of(build):
    # colcon shows it all to whoever builds a workspace.
    text, _ = build
    assert 'running build_py' in text
    assert not [line for line in text.splitlines() if 'Warning' in line]


def test_weights_are_installed(wheel):
    folder = ROOT / 'mdepth_ros/weights'
    weights = [*folder.glob('*.safetensors'), *folder.glob('*.md')]
    if not weights:
        pytest.skip('this checkout has no weights')
    for path in weights:
        assert wheel[str(path.relative_to(ROOT))] == path.stat().st_size <= 25 * 1024**2


@pytest.mark.parametrize('packages', ['lib/python3.12/site-packages', 'lib/python3/dist-packages',
                                      'local/lib/python3.10/dist-packages'])
def test_an_installed_package_finds_its_split(packages, tmp_path):
    split = tmp_path / 'share/mdepth_ros/training/kitti/eigen.json'
    package = tmp_path / packages / 'mdepth_ros/__init__.py'
    assert not shipped_kitti_split(package).exists()
    split.parent.mkdir(parents=True)
    split.touch()
    assert shipped_kitti_split(package) == split


def test_a_source_tree_has_its_own_split():
    assert shipped_kitti_split(ROOT / 'mdepth_ros/__init__.py') == (
        ROOT / 'training/kitti/eigen.json')


def test_rviz_shows_topics_that_exist():
    view = yaml.safe_load((CONFIG / 'mdepth.rviz').read_text())
    topics = [display['Topic']['Value'] for display in view['Visualization Manager']['Displays']
              if 'Topic' in display]
    assert topics
    assert set(topics) <= set(TOPICS)


def test_nav2_snippet():
    tree = yaml.safe_load((CONFIG / 'nav2_costmap.yaml').read_text())
    layer = tree['local_costmap']['local_costmap']['ros__parameters']['voxel_layer']
    source, clearing = (layer[name] for name in layer['observation_sources'].split())
    assert {source['topic'].lstrip('/'), clearing['topic'].lstrip('/')} <= set(TOPICS)
    assert (source['marking'], clearing['marking'], clearing['clearing']) == (True, False, True)
    # Rays to the ground, too, and none that is cut short within the range to be cleared.
    assert clearing['min_obstacle_height'] < 0 < clearing['max_obstacle_height']
    assert (source['obstacle_max_range'] <= clearing['raytrace_max_range']
            <= NodeParameters().clearing_range)
    # The values that the consumers' page asks for; a max_obstacle_height of 0 drops all points.
    assert source['max_obstacle_height'] > source['min_obstacle_height'] == 0.2
    assert (source['obstacle_max_range'], source['raytrace_max_range']) == (8.0, 6.0)
    assert (layer['z_voxels'], layer['z_resolution']) == (16, 0.05)


def test_what_is_installed_is_pinned():
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    needs = [setup['options']['install_requires'], *setup['options.extras_require'].values()]
    lines = [line for need in needs for line in need.splitlines() if line]
    pins = (ROOT / 'constraints.txt').read_text().lower()
    assert {'torch', 'rosbags', 'lightning-fabric'} <= {name_of(line) for line in lines}
    for line in lines:
        assert f'\n{name_of(line).lower()}==' in pins, line


@pytest.mark.parametrize('name', ['package.xml', 'setup.cfg'])
def test_versions_agree(name):
    import mdepth_ros
    text = (ROOT / name).read_text()
    assert mdepth_ros.__version__ in text or 'attr: mdepth_ros.__version__' in text
    assert re.search('Apache-2.0', text)
