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

from mdepth_ros.networks.readout import read_depth
import pytest
import torch


@pytest.fixture
def hypotheses():
    return torch.linspace(10.0, 2.0, 8).view(1, 8, 1, 1).expand(1, 8, 2, 3)


@pytest.mark.parametrize('best', range(8))
def test_certainty_reads_the_hypothesis(hypotheses, best):
    probabilities = torch.zeros(1, 8, 2, 3)
    probabilities[:, best] = 1
    depth, mass = read_depth(probabilities, hypotheses)
    torch.testing.assert_close(depth, hypotheses[:, best:best + 1])
    torch.testing.assert_close(mass, torch.ones(1, 1, 2, 3))


def test_only_the_window_counts():
    probabilities = torch.tensor([0.3, 0.0, 0.1, 0.4, 0.2]).view(1, 5, 1, 1)
    hypotheses = torch.tensor([100.0, 50.0, 4.0, 3.0, 2.0]).view(1, 5, 1, 1)
    depth, mass = read_depth(probabilities, hypotheses)
    assert float(depth) == pytest.approx((0.1 * 4 + 0.4 * 3 + 0.2 * 2) / 0.7)
    assert float(mass) == pytest.approx(0.7)


def test_the_end_counts_twice_in_the_mean_but_not_in_the_mass():
    probabilities = torch.tensor([0.6, 0.2, 0.2]).view(1, 3, 1, 1)
    hypotheses = torch.tensor([6.0, 3.0, 2.0]).view(1, 3, 1, 1)
    depth, mass = read_depth(probabilities, hypotheses)
    assert float(depth) == pytest.approx((2 * 0.6 * 6 + 0.2 * 3) / (2 * 0.6 + 0.2))
    assert float(mass) == pytest.approx(0.8)


def test_depth_stays_between_the_hypotheses():
    logits = torch.randn(2, 16, 5, 7, generator=torch.Generator().manual_seed(0))
    hypotheses = torch.linspace(9.0, 1.0, 16).view(1, 16, 1, 1).expand(2, 16, 5, 7)
    depth, mass = read_depth(logits.softmax(dim=1), hypotheses)
    assert 1.0 <= float(depth.min()) <= float(depth.max()) <= 9.0
    assert 0.0 < float(mass.min()) <= float(mass.max()) <= 1.0


def test_gradient_reaches_the_logits(hypotheses):
    logits = torch.randn(1, 8, 2, 3, requires_grad=True)
    read_depth(logits.softmax(dim=1), hypotheses).depth.sum().backward()
    assert bool(logits.grad.isfinite().all())
    assert bool(logits.grad.any())


def test_refuses_unlike_shapes(hypotheses):
    with pytest.raises(ValueError, match=r'hypotheses must be \(1, 7, 2, 3\), got \(1, 8, 2, 3\)'):
        read_depth(torch.rand(1, 7, 2, 3), hypotheses)
