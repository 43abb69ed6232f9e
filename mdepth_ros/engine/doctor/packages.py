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

"""Which Python packages are installed, and which were tested together."""

from collections.abc import Iterator, Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
import platform
import re
import sys

from mdepth_ros.engine.doctor.finding import Finding, ok, problem, warning
from mdepth_ros.engine.doctor.trial import try_module

# Module -> its package, and what it is needed for; the first ones the node cannot do without.
CORE = {'torch': 'torch', 'numpy': 'numpy', 'cv2': 'opencv-python-headless',
        'safetensors': 'safetensors', 'yaml': 'PyYAML'}
OTHERS = {
    'openvino': ('openvino', 'the fastest networks on a CPU'),
    'onnxruntime': ('onnxruntime', 'backend onnxruntime'),
    'onnx': ('onnx', 'mdepth export --format onnx'),
    'onnxscript': ('onnxscript', 'mdepth export --format onnx'),
    'rosbags': ('rosbags', 'bags: mdepth demo, prepare and train'),
    'matplotlib': ('matplotlib', 'pictures of mdepth demo and train'),
    'lightning_fabric': ('lightning-fabric', 'mdepth train'),
    'jsonargparse': ('jsonargparse', 'mdepth train'),
}
# As setup.cfg says: from the first on, before the second.
BOUNDS = {'torch': ((2, 5), None), 'opencv-python-headless': ((4, 5), (5,))}
TRIAL = 'mdepth_ros.engine.doctor.try_import'
PINS = Path(__file__).resolve().parents[3] / 'constraints.txt'


def read_pins(text: str, python: tuple[int, int]) -> dict[str, str]:
    """
    Read the versions that were tested together.

    :param text: lines such as ``numpy==2.2.6; python_version >= "3.11"``.
    :param python: version of Python that they are for.
    :return: version by package.
    """
    pins = {}
    line = re.compile(r'^([\w.-]+)==([^;\s]+)(?:; python_version (>=|<) "3\.(\d+)")?$', re.M)
    for name, version, comparison, minor in line.findall(text):
        newer = not minor or python >= (3, int(minor))
        if newer == (comparison != '<'):
            pins[name] = version
    return pins


def check_packages() -> list[Finding]:
    """Look for Python's version and for the packages, beside their pins where these are found."""
    pins = read_pins(PINS.read_text(), sys.version_info[:2]) if PINS.is_file() else {}
    findings = [ok(f'Python {platform.python_version()} on {platform.machine()}, {sys.prefix}')]
    for module, package in CORE.items():
        version = _version(module, package)
        if version is None:
            findings.append(problem(f'{package} is not installed', f'pip install {package}'))
        elif not (trial := try_module(TRIAL, module)).worked:
            findings.append(problem(f'{package} {version} does not import: {trial.text}',
                                    'install it anew, in a version for this NumPy'))
        else:
            findings.append(_judge(package, version, pins))
    for module, (package, purpose) in OTHERS.items():
        version = _version(module, package)
        if version is not None:
            findings.append(_judge(package, version, pins))
        elif module == 'openvino' and platform.machine() in ('x86_64', 'AMD64'):
            findings.append(warning(f'{package} is not installed, for {purpose}',
                                    f'pip install {package}'))
        else:
            findings.append(ok(f'{package} is not installed, for {purpose}'))
    return findings + _cv_bridge()


def _version(module: str, package: str) -> str | None:
    """Find the version; None where the module is not installed."""
    if not find_spec(module):
        return None
    for name in _sources(module, package):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return 'of unknown version'


def _sources(module: str, package: str) -> Iterator[str]:
    """List the packages that a module may come from, the likely one first."""
    yield package
    # Another one: apt's OpenCV. To look for it takes a second.
    yield from metadata.packages_distributions().get(module, [])


def _judge(package: str, version: str, pins: Mapping[str, str]) -> Finding:
    """Compare a version with its bounds and its pin."""
    numbers = tuple(int(number) for number in re.findall(r'\d+', version)[:2])
    first, end = BOUNDS.get(package, ((), None))
    if numbers and (numbers < first or (end is not None and numbers >= end)):
        wanted = f'>={".".join(map(str, first))}' + (
            f',<{".".join(map(str, end))}' if end is not None else '')
        return problem(f'{package} {version} does not work with this package',
                       f"pip install '{package}{wanted}'")
    pin = pins.get(package)
    tested = '' if pin in (None, version.split('+')[0]) else f' (tested with {pin})'
    return ok(f'{package} {version}{tested}')


def _cv_bridge() -> list[Finding]:
    """Look for ROS 1's cv_bridge, which pip installs under the same name."""
    try:
        version = metadata.version('cv-bridge')
    except metadata.PackageNotFoundError:
        return []
    if int(version.split('.')[0]) > 1:
        return [ok(f'cv-bridge {version}')]
    return [problem(f'cv-bridge {version} from PyPI is that of ROS 1 and misreads images',
                    'pip uninstall cv-bridge; ROS 2 brings its own')]
