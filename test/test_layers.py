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

"""Who may import whom; geometry and networks know no ROS, and nobody but cli knows training."""

import ast
from pathlib import Path
import subprocess
import sys
from xml.etree import ElementTree

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / 'mdepth_ros'
ANYBODYS = {'errors', 'whole_file'}  # modules without a folder
MAY_IMPORT = {
    'config': set(),
    'errors': set(),
    'whole_file': set(),
    'geometry': set(),
    'networks': {'geometry', 'config'},
    'engine': {'networks', 'geometry', 'config'},
    'messages': {'engine', 'geometry', 'config'},
    'ros': {'messages', 'engine', 'geometry', 'config'},
    'training': {'messages', 'engine', 'networks', 'geometry', 'config'},
    'cli': {'training', 'ros', 'messages', 'engine', 'networks', 'geometry', 'config'},
}
ROS = {'rclpy', 'sensor_msgs', 'nav_msgs', 'std_msgs', 'std_srvs', 'geometry_msgs', 'tf2_msgs',
       'diagnostic_msgs', 'lifecycle_msgs', 'rcl_interfaces', 'builtin_interfaces', 'cv_bridge',
       'launch', 'launch_ros', 'ament_index_python', 'rosgraph_msgs', 'sensor_msgs_py'}
FILES = sorted(PACKAGE.rglob('*.py'))


def imports(path):
    """All modules that a file names in an import, at its top or inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}: relative import'
            names.add(node.module)
    return names


def layer(path):
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


@pytest.mark.parametrize('path', FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_arrows(path):
    mine = layer(path)
    if mine == '__init__':
        assert not imports(path)
        return
    assert mine in MAY_IMPORT, f'{path} is in no known layer'
    for name in imports(path):
        if name.startswith('mdepth_ros.'):
            other = name.split('.')[1]
            assert other in MAY_IMPORT[mine] | ANYBODYS | {mine}, f'{mine} must not import {name}'
        if name.split('.')[0] in ROS:
            assert mine == 'ros', f'only ros/ may import {name}'


def test_the_package_of_every_ros_import_is_declared():
    declared = {node.text for node in ElementTree.parse(
        PACKAGE.parent / 'package.xml').iter('exec_depend')}
    used = {name.split('.')[0] for path in (*FILES, *(PACKAGE.parent / 'launch').glob('*.py'))
            for name in imports(path)}
    assert used & ROS <= declared


def test_geometry_needs_torch_alone():
    for path in (PACKAGE / 'geometry').glob('*.py'):
        outside = {name.split('.')[0] for name in imports(path)} - set(sys.stdlib_module_names)
        assert outside <= {'torch', 'mdepth_ros'}, path


def test_engine_imports_where_there_is_no_ros():
    code = (f'import sys; sys.modules.update(dict.fromkeys({sorted(ROS)!r}));'
            'import mdepth_ros.engine.estimator')
    subprocess.run([sys.executable, '-c', code], check=True, timeout=120)


def test_files_are_small():
    licence = 14  # lines of it above each file's own
    lengths = {path: len(path.read_text().splitlines()) - licence for path in FILES}
    assert max(lengths.values()) <= 400, max(lengths, key=lengths.get)
    assert sum(n <= 300 for n in lengths.values()) >= 0.9 * len(lengths)
