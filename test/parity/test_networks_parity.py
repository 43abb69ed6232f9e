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

"""
Same architecture, same maths: every array and every key measured on the authors' networks.

``pytest -s test/parity/test_networks_parity.py`` prints the errors reached.
"""

import json
from pathlib import Path

from formula import fill
from mdepth_ros.geometry.pose import invert_motion, motion_from_parameters
from mdepth_ros.networks.cost_volume import correlation_volume
from mdepth_ros.networks.features import FeatureNet
from mdepth_ros.networks.fusion_decoder import FusionDecoder
from mdepth_ros.networks.hrnet import HRNetEncoder
from mdepth_ros.networks.hypotheses import (
    depth_hypotheses,
    observed_ratio,
    update_delta,
)
from mdepth_ros.networks.pose import PoseDecoder
from mdepth_ros.networks.readout import read_depth
from mdepth_ros.networks.regulariser import UNet3d
from mdepth_ros.networks.resnet import ResNetEncoder
from mdepth_ros.networks.unet_decoder import UNetDecoder
from mdepth_ros.networks.upsampler import ConvexUpsampler
import numpy as np
import pytest
import torch

DATA = Path(__file__).parent / 'data'
TOLERANCE = 1e-4


def modules_of(name):
    """Build our parts of a parity file, with their formula weights."""
    if name == 'single_frame_hrnet18':
        encoder = fill(HRNetEncoder(), gain=0.5)
        return {'encoder': encoder, 'decoder': fill(FusionDecoder(encoder.channels))}
    if name == 'single_frame_resnet18':
        encoder = fill(ResNetEncoder())
        return {'encoder': encoder, 'decoder': fill(UNetDecoder(encoder.channels))}
    if name == 'pose_resnet18':
        return {'encoder': fill(ResNetEncoder(6)), 'decoder': fill(PoseDecoder(512))}
    return {'features': fill(FeatureNet(), gain=1.5), 'regulariser': fill(UNet3d(), gain=1.5),
            'upsampler': fill(ConvexUpsampler(32, 'zeros'))}


def single_frame(reference, modules):
    features = modules['encoder'](reference['image'])
    disparities = modules['decoder'].scales(features)
    names = ['disparity'] if len(disparities) == 1 else [f'disparity_{i}' for i in range(4)]
    torch.testing.assert_close(modules['decoder'](features)[0], disparities[0])
    return dict(zip([f'feature_{i}' for i in range(5)], features)) | dict(zip(names, disparities))


def pose(reference, modules):
    pair = torch.cat([reference['first'], reference['second']], dim=1)
    parameters = modules['decoder'](modules['encoder'](pair)[-1]).unsqueeze(2)  # (B, 2, 1, 6)
    T = motion_from_parameters(reference['axisangle_in'][:, 0], reference['translation_in'][:, 0])
    return {'axisangle': parameters[..., :3], 'translation': parameters[..., 3:],
            'T': T, 'T_inverted': invert_motion(T)}


def multi_frame(reference, modules):
    """Chain our own results: an error anywhere shows in everything after it."""
    single_depth = reference['single_depth']
    delta = reference['delta'][None, None]
    T = invert_motion(motion_from_parameters(reference['axisangle'][:, 0],
                                             reference['translation'][:, 0]))
    target = modules['features'](reference['target'])
    source = modules['features'](reference['source'])
    hypotheses = depth_hypotheses(single_depth, delta, 16)
    volume = correlation_volume(target.matching, source.matching[:, None], hypotheses,
                                reference['K'][:, :3, :3], T[:, None], groups=16)
    logits = modules['regulariser'](volume)
    depth_quarter = read_depth(logits.softmax(dim=1), hypotheses).depth
    given = read_depth(reference['local_max_probabilities'], hypotheses)
    depth_full = modules['upsampler'](depth_quarter, target.context)
    return {
        'target_features': target.matching,
        'source_features': source.matching,
        'context': target.context,
        'T_source_target': T,
        'hypotheses_inverse': hypotheses,
        # The authors' alternative, which nobody uses: between the same ends, near end first.
        'hypotheses_linear': torch.lerp(hypotheses[:, -1:], hypotheses[:, :1],
                                        torch.linspace(0, 1, 16).view(1, 16, 1, 1)),
        'cost_volume': volume.transpose(1, 2),  # theirs is (B, D, G, h, w)
        'logits': logits,
        'depth_quarter': depth_quarter[:, 0],
        'depth_full': depth_full[:, 0],
        'delta_after_update': update_delta(
            delta, observed_ratio(depth_full, single_depth, *delta.shape[2:]))[0, 0],
        'local_max_depth': given.depth[:, 0],
    }


# File -> what computes it, and the arrays that only go in.
FILES = {
    'single_frame_hrnet18': (single_frame, {'image'}),
    'single_frame_resnet18': (single_frame, {'image'}),
    'pose_resnet18': (pose, {'first', 'second', 'axisangle_in', 'translation_in'}),
    'multi_frame_mism': (multi_frame, {'target', 'source', 'K', 'axisangle', 'translation',
                                       'single_depth', 'delta', 'local_max_probabilities'}),
}


def load(name):
    with np.load(DATA / f'{name}.npz') as arrays:
        return {key: torch.from_numpy(arrays[key]) for key in arrays}


def relative_errors(ours, theirs):
    """Norm of the difference, and its largest entry, both relative to the reference's."""
    difference = ours - theirs
    return (float(difference.norm() / theirs.norm()),
            float(difference.abs().max() / theirs.abs().max()))


@pytest.mark.parametrize('name', FILES)
def test_keys_shapes_and_types_are_the_public_ones(name):
    expected = json.loads((DATA / f'{name}.keys.json').read_text())
    ours = {
        part: {key: [list(value.shape), str(value.dtype).removeprefix('torch.')]
               for key, value in module.state_dict().items()}
        for part, module in modules_of(name).items()
    }
    assert ours == expected


@pytest.mark.parametrize('name', FILES)
@torch.no_grad()
def test_every_array_is_reproduced(name):
    compute, inputs = FILES[name]
    reference = load(name)
    ours = compute(reference, modules_of(name))
    assert set(ours) | inputs == set(reference)
    errors = {}
    for key, value in ours.items():
        assert value.shape == reference[key].shape, key
        errors[key] = relative_errors(value, reference[key])
        print(f'{name:22s} {key:20s} norm {errors[key][0]:.1e}  max {errors[key][1]:.1e}')
    assert {key: e for key, e in errors.items() if max(e) >= TOLERANCE} == {}
