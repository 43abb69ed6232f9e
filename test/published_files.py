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

"""Folders as their authors publish them: keys measured on those files, values by formula."""

from collections import OrderedDict
from functools import cache
import json
from pathlib import Path

from formula import formula_tensor
import numpy as np
import torch

DATA = Path(__file__).parent / 'parity' / 'data'
# File -> where its keys are, the module there, and the gain of its weights.
SINGLE_HRNET = {'s_encoder': ('single_frame_hrnet18', 'encoder', 0.5),
                's_depth': ('single_frame_hrnet18', 'decoder', 1.0)}
SINGLE_RESNET = {'encoder': ('single_frame_resnet18', 'encoder', 1.0),
                 'depth': ('single_frame_resnet18', 'decoder', 1.0)}
POSE = {'pose_encoder': ('pose_resnet18', 'encoder', 1.0),
        'pose': ('pose_resnet18', 'decoder', 1.0)}
MULTI = {'m_encoder': ('multi_frame_mism', 'features', 1.5),
         'reg3d': ('multi_frame_mism', 'regulariser', 1.5),
         'up': ('multi_frame_mism', 'upsampler', 1.0)}
FOLDERS = {'mism': SINGLE_HRNET | POSE | MULTI, 'monodepth2': SINGLE_RESNET | POSE,
           'movedepth': SINGLE_RESNET | POSE | MULTI}


def part(source, module, gain):
    """Return the state dict of one file, to be changed as one likes."""
    return OrderedDict((key, value.clone()) for key, value in _part(source, module, gain).items())


@cache
def _part(source, module, gain):
    keys = json.loads((DATA / f'{source}.keys.json').read_text())[module]
    return OrderedDict(
        (key, formula_tensor(key, tuple(shape), gain) if dtype == 'float32'
         else torch.zeros(shape, dtype=getattr(torch, dtype)))
        for key, (shape, dtype) in keys.items())


def delta():
    """Return the search widths of the parity arrays: (16, 32), for 128 x 64."""
    with np.load(DATA / 'multi_frame_mism.npz') as arrays:
        return torch.from_numpy(arrays['delta'])


def write(folder, kind, change=None):
    """
    Write the files of a folder.

    ``change`` is called with the state dicts by name before they are saved.
    """
    states = {name: part(*where) for name, where in FOLDERS[kind].items()}
    if kind == 'mism':
        states['reg3d']['depth_bin_facs'] = delta()
    if kind == 'monodepth2':
        states['encoder'] |= {'height': 64, 'width': 128, 'use_stereo': False}
    if change is not None:
        change(states)
    folder.mkdir(parents=True, exist_ok=True)
    for name, state in states.items():
        torch.save(state, folder / f'{name}.pth')
    return folder
