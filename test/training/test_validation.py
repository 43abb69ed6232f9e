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

"""The score of held-back frames: what explains them better scores better."""

from mdepth_ros.training.datasets.frames_folder import open_frames
from mdepth_ros.training.datasets.sequence import DataError
from mdepth_ros.training.datasets.sequence_part import SequencePart
from mdepth_ros.training.validation import photometric_score, PhotometricScore
import pytest
from runs import SIZE, tiny_model
import torch


@pytest.fixture(scope='module')
def sequences(rendered_folder):
    return open_frames(rendered_folder)


class Standing(SequencePart):
    """The first of these frames, again and again: nothing moves, so warping explains nothing."""

    def rgb(self, index):
        return super().rgb(0)


class Known(torch.nn.Module):
    """An S-DepthNet that knows its frames: gives for each image the disparity that it was told."""

    def __init__(self, images, disparities):
        super().__init__()
        self.images, self.disparities = images, disparities

    def scales(self, image):
        distance = (self.images - image).abs().mean(dim=(1, 2, 3))
        return [self.disparities[distance.argmin()][None]]

    def forward(self, image):
        return self.scales(image)[0]


def model_that_sees(rendered, depth):
    """Networks whose single-frame depth is the one given, (N, 1, H, W) [m]."""
    model = tiny_model().eval()
    near, far = 1 / model.config.min_depth, 1 / model.config.max_depth
    model.single = Known(rendered.images, (1 / depth - far) / (near - far))
    return model


def test_true_depth_explains_better_than_wrong_depth(rendered, sequences):
    depth = rendered.depth.clamp(0.2, 90.0)
    right, upside_down, flat = (
        photometric_score(model_that_sees(rendered, some), sequences, SIZE, SIZE, gap=1)
        for some in (depth, depth.flip(2), torch.full_like(depth, 2.0)))
    assert isinstance(right, PhotometricScore)
    assert right.single < 0.75 * upside_down.single
    assert right.single < flat.single
    assert right.capped < min(flat.capped, upside_down.capped) < right.identity
    assert right.single < 0.5 * right.identity
    # Random networks match at random: no better than the truth that they start from.
    assert right.multi >= 0.9 * right.single
    assert right.frames == 8


def test_the_scale_of_the_depth_is_free(rendered, sequences):
    """The motion is solved at the depth's own scale, so metres or feet fit alike."""
    depth = rendered.depth.clamp(0.2, 25.0)
    metres, feet = (
        photometric_score(model_that_sees(rendered, scale * depth), sequences, SIZE, SIZE, gap=1)
        for scale in (1.0, 3.28))
    assert feet.single == pytest.approx(metres.single, rel=0.02)


def test_the_same_frames_are_scored_each_time(sequences):
    model = tiny_model().eval()
    once, again = (photometric_score(model, sequences, SIZE, SIZE, gap=1, most_frames=3)
                   for _ in range(2))
    assert once == again
    assert once.frames == 3


def test_frames_that_no_warping_explains_are_not_perfect_ones(sequences):
    model = tiny_model().eval()
    standing = Standing(sequences[0], 0, 6)
    moving = photometric_score(model, sequences, SIZE, SIZE, gap=1)
    both = photometric_score(model, [*sequences, standing], SIZE, SIZE, gap=1)
    assert (both.frames, moving.frames) == (12, 8)
    assert (both.single, both.multi, both.identity) == pytest.approx(
        (moving.single, moving.multi, moving.identity))
    # There the sources as they are have no error.
    assert both.capped == pytest.approx(8 / 12 * moving.capped)
    assert photometric_score(model, [standing], SIZE, SIZE, gap=1) == PhotometricScore(
        None, None, None, 0.0, 4)


def test_too_few_frames_are_told(rendered_folder):
    two = open_frames(rendered_folder, 0, 2)
    with pytest.raises(DataError, match='no frame has neighbours on both sides'):
        photometric_score(tiny_model().eval(), two, SIZE, SIZE, gap=1)
