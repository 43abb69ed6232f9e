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

"""Mixed precision, what a GPU trains in: only the networks' convolutions are rounded."""

from dataclasses import replace

from mdepth_ros.config import lite_config
from mdepth_ros.training.loop.recipe import Devices
from mdepth_ros.training.loop.schedule import Schedule
from mdepth_ros.training.loop.trainer import train
import pytest
from runs import make_recipe, read_losses, tiny_start


@pytest.mark.parametrize('stage', ['teacher', 'student', 'distil', 'refine'])
def test_a_stage_does_in_mixed_precision_what_it_does_in_full(stage, rendered_folder, tmp_path):
    # Of a camera with such small images: what is nearer, the same rounding moves farther.
    config = replace(lite_config(), canonical_focal=40.0)
    start, losses = tiny_start(tmp_path, config), []
    for precision in ('bf16-mixed', '32-true'):
        recipe = make_recipe(rendered_folder, start, batch=2, **{stage: Schedule(2)},
                             devices=Devices('cpu', 1, precision))
        train(recipe, tmp_path / precision)
        losses.append(read_losses(tmp_path / precision))
    mixed, full = losses
    assert len(mixed) == 2
    # By depth that knows nothing a motion is solved that a little rounding changes, too.
    assert mixed[0]['loss'] == pytest.approx(full[0]['loss'], rel=0.05)
    if 'tracks' in full[0]:
        assert mixed[0]['tracks'] == pytest.approx(full[0]['tracks'], rel=0.03)
    assert [line['skipped'] for line in mixed] == [0, 0]
