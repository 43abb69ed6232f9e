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

"""Which backends and devices work here."""

from importlib.util import find_spec
from pathlib import Path
from typing import get_args

from mdepth_ros.config import Backend
from mdepth_ros.engine.backends.choose import automatic_backend, PACKAGES
from mdepth_ros.engine.device import choose_device
from mdepth_ros.engine.doctor.finding import Finding, ok, problem, warning
from mdepth_ros.engine.doctor.trial import try_module
import torch

ON_GPU = ('cuda', 'tensorrt')
NVIDIA = Path('/proc/driver/nvidia/version')
TRIAL = 'mdepth_ros.engine.doctor.try_backend'


def check_backends() -> list[Finding]:
    """
    Run every backend that could work here on a tiny input.

    :return: one finding for each, and for a GPU that PyTorch does not use.
    """
    has_gpu = torch.cuda.is_available()
    automatic = automatic_backend(choose_device('auto'))
    findings = []
    if NVIDIA.exists() and not has_gpu:
        findings.append(warning(
            f'an NVIDIA GPU is here, but torch {torch.__version__} does not use it',
            'install PyTorch for CUDA, and a driver that is new enough for it'))
    for name in get_args(Backend):
        if name == 'auto':
            continue
        package = PACKAGES.get(name)
        if name in ON_GPU and not has_gpu:
            findings.append(ok(f'backend {name}: not tried, no GPU that PyTorch can use'))
        elif package and not find_spec(package):
            findings.append(ok(f'backend {name}: {package} is not installed'))
        else:
            findings.append(_try(name, 'cuda' if name in ON_GPU else 'cpu', automatic))
    return findings


def _try(name: str, device: str, automatic: str) -> Finding:
    """Run one backend; only of the one that the node takes by itself it is a problem."""
    trial = try_module(TRIAL, name, device)
    if trial.worked:
        return ok(f'backend {trial.text}{", what auto takes" * (name == automatic)}')
    what = f'backend {name} does not work: {trial.text}'
    if name == automatic:
        # What auto takes where nothing else is installed, has no other to go to.
        other = '' if name == 'torch' else ', or set the parameter backend to torch'
        return problem(f'{what}; auto takes it', f'install its packages anew{other}')
    return warning(what, 'nothing, unless you want this very one: auto takes another')
