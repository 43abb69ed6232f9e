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

"""``mdepth import``: the imported file computes what was measured on the authors' networks."""

from mdepth_ros.cli.main import main
from mdepth_ros.networks.checkpoint import load_checkpoint
from published_files import delta, write
import pytest
from test_networks_parity import FILES, load, relative_errors, TOLERANCE
import torch

MULTI = {'features': 'multi.feature_net', 'regulariser': 'multi.regulariser',
         'upsampler': 'multi.upsampler'}
SINGLE = {'encoder': 'single.encoder', 'decoder': 'single.decoder'}
POSE = {'encoder': 'pose.encoder', 'decoder': 'pose.decoder'}
ARRAYS = {
    'mism': {'single_frame_hrnet18': SINGLE, 'pose_resnet18': POSE, 'multi_frame_mism': MULTI},
    'monodepth2': {'single_frame_resnet18': SINGLE, 'pose_resnet18': POSE},
    'movedepth': {'single_frame_resnet18': SINGLE, 'pose_resnet18': POSE,
                  'multi_frame_mism': MULTI},
}


def as_published_elsewhere(states):
    """Data-parallel keys, a classifier, and names that say nothing."""
    for i, name in enumerate(list(states)):
        state = states.pop(name)
        states[f'part{i}'] = {f'module.{key}': value for key, value in state.items()}
        if 'encoder.conv1.weight' in state:
            states[f'part{i}']['module.encoder.fc.bias'] = torch.ones(1000)


@pytest.mark.parametrize('change', [None, as_published_elsewhere], ids=['plain', 'wrapped'])
@pytest.mark.parametrize('kind', ARRAYS)
@torch.no_grad()
def test_every_array_is_reproduced(tmp_path, kind, change):
    out = tmp_path / 'model.safetensors'
    assert main(['import', str(write(tmp_path / kind, kind, change)), '--out', str(out)]) == 0
    model = load_checkpoint(out)
    for name, modules in ARRAYS[kind].items():
        compute, inputs = FILES[name]
        reference = load(name)
        ours = compute(reference, {part: model.get_submodule(path)
                                   for part, path in modules.items()})
        assert set(ours) | inputs == set(reference)
        worst = max(max(relative_errors(value, reference[key])) for key, value in ours.items())
        print(f'{kind} {name}: {worst:.1e}')
        assert worst < TOLERANCE


@torch.no_grad()
def test_the_whole_of_multi_frame_is_reproduced_with_its_own_delta(tmp_path):
    """Not with the delta of the arrays, as above: that of the imported model."""
    out = tmp_path / 'model.safetensors'
    assert main(['import', str(write(tmp_path / 'mism', 'mism')), '--out', str(out)]) == 0
    model, reference = load_checkpoint(out), load('multi_frame_mism')
    assert torch.equal(model.multi.delta[0, 0], delta())
    target, source = (model.multi.features(reference[key]) for key in ('target', 'source'))
    full = torch.nn.functional.interpolate(reference['single_depth'], scale_factor=4.0)
    depth = model.multi(target, source.matching[:, None], full, reference['K'][:, :3, :3],
                        reference['T_source_target'][:, None]).depth
    assert max(relative_errors(depth[:, 0], reference['depth_full'])) < TOLERANCE
