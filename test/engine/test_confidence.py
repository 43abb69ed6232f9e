import pytest
import torch

from mdepth_ros.engine.confidence import matching_confidence

DEPTH = torch.full((1, 1, 8, 8), 4.0)


def test_certain_and_agreeing_is_one():
    assert torch.equal(matching_confidence(torch.ones(1, 1, 2, 2), DEPTH, DEPTH),
                       torch.ones(1, 1, 8, 8))


@pytest.mark.parametrize('factor', [2.0, 0.5])
def test_disagreement_counts_alike_in_both_directions(factor):
    confidence = matching_confidence(torch.ones(1, 1, 2, 2), factor * DEPTH, DEPTH)
    torch.testing.assert_close(confidence, torch.full_like(DEPTH, 0.5))


def test_mass_is_spread_and_bounded():
    mass = torch.rand(1, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    confidence = matching_confidence(mass, DEPTH, DEPTH)
    assert confidence.min() >= mass.min()
    assert confidence.max() <= mass.max()


def test_scale_does_not_matter():
    mass, other = torch.full((1, 1, 2, 2), 0.7), DEPTH + torch.rand(1, 1, 8, 8)
    torch.testing.assert_close(matching_confidence(mass, DEPTH, other),
                               matching_confidence(mass, 9 * DEPTH, 9 * other))


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r'single_depth must be \(1, 1, 8, 8\) like depth, got'):
        matching_confidence(torch.ones(1, 1, 2, 2), DEPTH, DEPTH[..., :4])
