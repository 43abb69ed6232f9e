from mdepth_ros.networks.blocks import EnlargeBilinear
import pytest
import torch
import torch.nn.functional as F


@pytest.mark.parametrize('factor', [2, 3, 4])
def test_enlargement_is_interpolation(factor):
    x = torch.rand(2, 1, 5, 7)
    torch.testing.assert_close(
        EnlargeBilinear(factor)(x),
        F.interpolate(x, scale_factor=factor, mode='bilinear', align_corners=False))
