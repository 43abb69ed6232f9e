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

"""What ``mdepth doctor`` says of packages and backends."""

from pathlib import Path
import sys

from mdepth_ros.engine.doctor import backends, packages
from mdepth_ros.engine.doctor.finding import Finding, Level
from mdepth_ros.engine.doctor.trial import try_module
import pytest

ROOT = Path(__file__).resolve().parents[3]


def test_every_finding_that_is_not_ok_has_an_advice():
    with pytest.raises(ValueError, match='a problem needs an advice'):
        Finding(Level.PROBLEM, 'it burns')


@pytest.mark.parametrize(('python', 'pins'), [
    ((3, 10), {'numpy': '2.2.6', 'contourpy': '1.3.2', 'a.b-c': '1'}),
    ((3, 11), {'numpy': '2.2.6', 'contourpy': '1.3.3', 'onnxruntime': '1.32.0', 'a.b-c': '1'})])
def test_pins_are_those_of_this_python(python, pins):
    text = ('# numpy==1.0\nnumpy==2.2.6\nonnxruntime==1.32.0; python_version >= "3.11"\n'
            'contourpy==1.3.3; python_version >= "3.11"\n'
            'contourpy==1.3.2; python_version < "3.11"\na.b-c==1\n')
    assert packages.read_pins(text, python) == pins


@pytest.mark.skipif(not Path(packages.__file__).is_relative_to(ROOT),
                    reason='the package that is tested is an installed one')
def test_a_source_tree_finds_its_pins():
    assert packages.PINS.samefile(ROOT / 'constraints.txt')


def test_every_line_of_constraints_is_read():
    """Both ways of each condition together are all lines."""
    text = (ROOT / 'constraints.txt').read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith('#')]
    old, new = (packages.read_pins(text, python) for python in ((3, 10), (3, 13)))
    assert len(set(old.items()) | set(new.items())) == len(lines)
    assert set(packages.CORE.values()) <= set(old)


@pytest.mark.parametrize(('package', 'version', 'level'), [
    ('torch', '2.4.1', 'problem'), ('torch', '2.5.0+cpu', 'ok'),
    ('opencv-python-headless', '5.0.0', 'problem'), ('opencv-python-headless', '4.5.4', 'ok'),
    ('torch', 'of unknown version', 'ok'), ('numpy', '1.26.4', 'ok')])
def test_bounds_are_kept(package, version, level):
    finding = packages._judge(package, version, {'numpy': '2.2.6'})
    assert finding.level.value == level
    # Of the others nobody knows what they were tested with.
    assert finding.what.partition('(')[2] == ('tested with 2.2.6)' if package == 'numpy' else '')


def test_bounds_are_those_of_setup_cfg():
    setup = (ROOT / 'setup.cfg').read_text()
    for package, (first, end) in packages.BOUNDS.items():
        text = f'{package} >={".".join(map(str, first))}'
        assert text + (f', <{".".join(map(str, end))}' if end else '') + '\n' in setup


def test_the_slow_search_for_a_package_is_left_where_its_name_is_known(monkeypatch):
    searched = []
    monkeypatch.setattr(packages.metadata, 'packages_distributions',
                        lambda: searched.append(1) or {'numpy': ['numpy']})
    version = sys.modules['numpy'].__version__
    assert (packages._version('numpy', 'numpy'), searched) == (version, [])
    assert (packages._version('numpy', 'python3-numpy'), searched) == (version, [1])


def test_this_environment_has_what_the_node_needs():
    findings = packages.check_packages()
    assert not [it for it in findings if it.level is Level.PROBLEM]
    assert f'numpy {sys.modules["numpy"].__version__}' in {it.what.split(' (')[0]
                                                           for it in findings}


def test_a_backend_is_really_run():
    finding = backends._try('torch', 'cpu', 'torch')
    assert (finding.level, finding.what.endswith('what auto takes')) == (Level.OK, True)


def test_a_backend_that_fails_is_a_problem_if_auto_takes_it(monkeypatch):
    # A device that is not there.
    for automatic, level in (('torch', Level.PROBLEM), ('openvino', Level.WARNING)):
        finding = backends._try('torch', 'cuda:99', automatic)
        assert finding.level is level
        assert "backend torch does not work: device is 'cuda:99', but torch" in finding.what
        # Where auto takes torch, there is no other one.
        assert 'openvino' not in finding.advice


@pytest.mark.parametrize(('code', 'text'), [
    ('import os; os.abort()', 'killed by SIGABRT'), ('raise SystemExit(3)', 'ended with status 3'),
    ('import os, warnings; warnings.warn("odd"); os.kill(os.getpid(), 4)', 'killed by SIGILL'),
    ('import nothing_of_that_name', "No module named 'nothing_of_that_name'"),
    ('import time; time.sleep(60)', 'not done in 3 s')])
def test_a_library_that_kills_its_process_does_not_kill_ours(tmp_path, monkeypatch, code, text):
    (tmp_path / 'fatal.py').write_text(code)
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    trial = try_module('fatal', timeout_s=3.0)
    assert not trial.worked
    assert text in trial.text
