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

"""What the two rules make of observations whose distribution is known."""

import math

from mdepth_ros.networks.hypotheses import MARGIN
from mdepth_ros.training.stages.search_width import (
    NARROWEST,
    paper_rule,
    QUANTILE,
    quantile_rule,
    Search,
    WIDEST,
)
import pytest
import torch

CELLS = 100  # independent places of delta in one row
SPREAD = 0.1  # of the logarithm of D_m / D_s


def follow(rule, start, batch, frames):
    """Where delta ends after so many frames with log-normal ratios; mean of the cells."""
    generator = torch.Generator().manual_seed(0)
    delta = torch.full((1, 1, 1, CELLS), start)
    single = torch.ones(batch, 1, 1, CELLS)
    for _ in range(frames // batch):
        ratio = (SPREAD * torch.randn(single.shape, generator=generator)).exp()
        delta = rule(delta, 2.0 * ratio, 2.0 * single)
    return float(delta.mean())


# |log ratio| is below 1.96 standard deviations in 95 % of the frames.
RIGHT = MARGIN * (math.exp(1.95996 * SPREAD) - 1)


@pytest.mark.parametrize('start', [NARROWEST, 1.0, WIDEST])
@pytest.mark.parametrize('batch', [1, 4, 12])
def test_our_rule_finds_the_quantile_from_anywhere_with_any_batch(start, batch):
    frames = 2500 * batch  # it moves per step, so small batches need no more steps
    assert follow(quantile_rule, start, batch, frames) == pytest.approx(RIGHT, rel=0.06)
    assert QUANTILE == 0.95


def test_the_papers_rule_depends_on_the_batch():
    found = [follow(paper_rule, 1.0, batch, 1000 * batch) for batch in (1, 4, 12)]
    assert found[0] == pytest.approx(0.1, rel=0.1)  # mean of the ratio, times 1.2
    assert found[2] > 1.3 * found[1] > 1.3 ** 2 * found[0]


def test_our_rule_stays_within_bounds():
    far, near = torch.full((1, 1, 1, CELLS), 1e3), torch.ones(1, 1, 1, CELLS)
    delta = near
    for _ in range(100):
        delta = quantile_rule(delta, far, near)
    assert delta.max() == WIDEST
    for _ in range(2000):
        delta = quantile_rule(delta, near, near)
    assert delta.max() == pytest.approx(NARROWEST)


def test_one_bad_frame_is_not_the_data_set():
    """The paper's rule remembers it for a hundred steps."""
    one, bad = torch.ones(1, 1, 1, 1), torch.full((1, 1, 1, 1), 50.0)
    start = torch.full((1, 1, 1, 1), 0.2)
    assert quantile_rule(start, bad, one) < 0.21
    assert paper_rule(start, bad, one) > 0.7


def test_a_hold_keeps_delta_and_a_start_sets_it():
    delta = torch.full((1, 1, 4, 4), 0.5)
    far, near = torch.full((2, 1, 16, 16), 9.0), torch.ones(2, 1, 16, 16)
    for rule in ('paper', 'quantile'):
        search = Search(rule, delta=0.7, hold=0.25)
        search.begin(delta)
        assert (delta == torch.tensor(0.7)).all()
        search.follow(delta, far, near, progress=0.24)
        assert (delta == torch.tensor(0.7)).all()
        search.follow(delta, far, near, progress=0.25)
        assert (delta > 0.7).all()
    Search(delta=0.0).begin(delta)
    assert (delta > 0.7).all()
    before = delta.clone()
    Search('fixed', hold=0.0).follow(delta, far, near, progress=1.0)
    assert torch.equal(delta, before)


def test_wrong_settings_are_told_together():
    with pytest.raises(ValueError, match=r"rule .*'max'; delta .* -1\.0; hold .* 2\.0"):
        Search('max', delta=-1.0, hold=2.0)
