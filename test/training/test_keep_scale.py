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

"""Networks whose depth is in other units measure the same metres again."""

import dataclasses

from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.datasets.frames_folder import open_frames
from mdepth_ros.training.datasets.sequence_part import SequencePart
from mdepth_ros.training.keep_scale import keep_scale, sample_depths
import pytest
from runs import SIZE, tiny_model
import torch


@pytest.fixture(scope='module')
def sequences(rendered_folder):
    whole = open_frames(rendered_folder)[0]
    return [SequencePart(whole, 0, 4), SequencePart(whole, 4, len(whole))]


def in_other_units(model, factor):
    """Return the same networks, with depth that is larger by a factor."""
    config = dataclasses.replace(model.config, min_depth=factor * model.config.min_depth,
                                 max_depth=factor * model.config.max_depth)
    other = DepthModel(config)
    other.load_state_dict(model.state_dict())
    return other.eval()


def metres(model, sequences):
    return [model.config.scale * depth for depth in sample_depths(model, sequences, SIZE, SIZE)]


@pytest.mark.parametrize('factor', [1.0, 0.3, 6.0])
def test_the_metres_stay(sequences, factor):
    before = tiny_model(scale=2.5).eval()
    after = keep_scale(before, in_other_units(before, factor), sequences, SIZE, SIZE)
    assert after.config.scale == pytest.approx(2.5 / factor, rel=1e-5)
    assert not after.training
    for one, other in zip(metres(before, sequences), metres(after, sequences)):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=0)


def test_only_the_scale_changes(sequences):
    before, after = tiny_model(0, scale=2.0).eval(), tiny_model(1, scale=7.0).eval()
    scaled = keep_scale(before, after, sequences, SIZE, SIZE)
    assert dataclasses.replace(scaled.config, scale=7.0) == after.config
    assert all(torch.equal(value, after.state_dict()[name])
               for name, value in scaled.state_dict().items())
    medians = [[depth.median().log() for depth in metres(model, sequences)]
               for model in (before, scaled)]
    assert float(torch.tensor(medians[0]).mean()) == pytest.approx(
        float(torch.tensor(medians[1]).mean()), abs=1e-4)
    # Again, it is what it was: the trained model's own scale does not count.
    assert keep_scale(before, scaled, sequences, SIZE, SIZE).config == scaled.config


def test_frames_are_spread_over_all_sequences(sequences):
    model = tiny_model().eval()
    every = list(sample_depths(model, sequences, SIZE, SIZE))
    assert len(every) == sum(len(sequence) for sequence in sequences) == 10
    ends = list(sample_depths(model, sequences, SIZE, SIZE, frames=2))
    assert torch.equal(ends[0], every[0])
    assert torch.equal(ends[1], every[-1])
