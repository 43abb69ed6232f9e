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

"""``mdepth doctor`` as a command, with and without ROS."""

import json
import os
import re
import subprocess
import sys

from mdepth_ros.cli import doctor
from mdepth_ros.cli.main import main
from mdepth_ros.engine.backends import choose
from mdepth_ros.engine.child_environment import child_environment
from mdepth_ros.engine.doctor import backends
from mdepth_ros.engine.doctor.finding import Finding, Level
import pytest

SLOW = ('openvino', 'onnxruntime')  # to compile the networks; other tests do


def test_the_command_tells_and_writes_what_it_found(tmp_path, monkeypatch, capsys):
    for module in (backends, choose):
        monkeypatch.setattr(module, 'find_spec', lambda name: None if name in SLOW else name)
    path = tmp_path / 'new' / 'doctor.json'
    status = main(['doctor', '--seconds', '1', '--json', str(path)])
    out = capsys.readouterr().out
    report = json.loads(path.read_text())
    levels = [finding['level'] for finding in report['findings']]
    assert report['problems'] == levels.count('problem')
    assert status == (report['problems'] > 0)
    for finding in report['findings']:
        assert finding['what'] in out
        assert finding['advice'] in out
    assert 'backend torch on cpu' in out
    assert 'no camera: nobody publishes images' in out
    assert re.fullmatch(f'{report["problems"]} problems?, {levels.count("warning")} warnings?',
                        out.splitlines()[-1])


def test_it_works_where_there_is_no_ros():
    absent = ['rclpy', 'sensor_msgs', 'std_msgs', 'rosgraph_msgs', *SLOW]
    code = (f'import sys; sys.modules.update(dict.fromkeys({absent!r}));'
            'from mdepth_ros.cli.main import main; sys.exit(main(["doctor"]))')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                          timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'warning ROS 2 is not here: the node cannot run' in done.stdout
    assert 'backend torch on cpu' in done.stdout


@pytest.mark.parametrize(('module', 'code', 'found'), [
    ('cv2', 'raise ImportError("numpy.core.multiarray failed to import")',
     'does not import: ImportError: numpy.core.multiarray failed to import'),
    ('torch', 'raise OSError("libcudnn.so.9: cannot open shared object file")',
     'does not import: OSError: libcudnn.so.9: cannot open shared object file')])
def test_a_package_that_does_not_import_is_named(tmp_path, module, code, found):
    (tmp_path / f'{module}.py').write_text(code)
    done = subprocess.run(
        [sys.executable, '-m', 'mdepth_ros.cli.main', 'doctor', '--seconds', '0.5'],
        capture_output=True, text=True, timeout=200,
        env=child_environment({**os.environ, 'PYTHONPATH': str(tmp_path)}))
    assert (done.returncode, done.stderr) == (1, '')
    assert found in done.stdout
    assert 'nothing more can be checked: ' in done.stdout


def test_a_problem_is_the_status_and_is_counted(monkeypatch, capsys):
    monkeypatch.setattr(doctor, '_findings', lambda seconds: iter([
        Finding(Level.OK, 'fine'), Finding(Level.PROBLEM, 'broken', 'mend it'),
        Finding(Level.PROBLEM, 'broken, too', 'mend it')]))
    assert main(['doctor']) == 1
    out = capsys.readouterr().out
    assert 'PROBLEM broken\n        -> mend it\n' in out
    assert out.endswith('2 problems, 0 warnings\n')


def test_a_json_that_cannot_be_written_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(doctor, '_findings', lambda seconds: iter(()))
    assert main(['doctor', '--json', str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f'mdepth: error: cannot write {tmp_path}: Is a directory\n')
