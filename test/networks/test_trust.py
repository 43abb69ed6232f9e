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

"""The blend of both depths, and the evidence it follows."""

import math

from mdepth_ros.networks.evidence import CHANNELS, matching_evidence, no_evidence, thumbnail
from mdepth_ros.networks.multi_frame import MultiFrameOutput
from mdepth_ros.networks.trust import TrustNet
import pytest
import torch

H, W, D = 16, 24, 16
C = 8  # channels of S-DepthNet's features
FEATURES = torch.rand(1, C, H, W, generator=torch.Generator().manual_seed(2))
K = torch.tensor([[[20.0, 0, 11.5], [0, 20.0, 7.5], [0, 0, 1]]])


def sideways(metres):
    T = torch.eye(4)[None].clone()
    T[0, 0, 3] = metres
    return T


def matched(single, depth, probabilities=None):
    """Say what M-DepthNet would: a search from half to twice the single-frame depth."""
    steps = torch.linspace(0, 1, D).view(1, D, 1, 1)
    hypotheses = 1 / (0.5 / single + steps * 1.5 / single)
    if probabilities is None:
        probabilities = torch.full((1, D, H, W), 1 / D)
    mass = probabilities.amax(dim=1, keepdim=True)
    return MultiFrameOutput(depth, depth, probabilities, mass, hypotheses)


def plane(z, height=H, width=W):
    return torch.full((1, 1, height, width), z)


def evidence(single, depth, T, probabilities=None):
    image = torch.rand(1, 3, H, W, generator=torch.Generator().manual_seed(0))
    return matching_evidence(matched(single, depth, probabilities), single, image, image, K, T)


@pytest.fixture
def net():
    """Trained, as it were: it says something else at every pixel."""
    torch.manual_seed(0)
    net = TrustNet(C)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return net.eval()


def test_without_parallax_it_is_exactly_the_single_frame_depth(net):
    single, depth = plane(4.0), plane(5.0)
    turned = torch.eye(4)[None].clone()
    c, s = math.cos(0.1), math.sin(0.1)
    turned[0, :3, :3] = torch.tensor([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    for T in (torch.eye(4)[None], turned):
        trust = net(evidence(single, depth, T), plane(5.0, 64, 96), plane(4.0, 64, 96), FEATURES)
        assert torch.equal(trust.depth, plane(4.0, 64, 96))


def test_the_span_is_how_far_the_search_moves_the_image():
    seen = evidence(plane(4.0), plane(4.0), sideways(0.5))
    # f b / z at both ends of the search, 2 m and 8 m
    torch.testing.assert_close(seen.span, plane(20 * 0.5 * (1 / 2 - 1 / 8)))
    assert seen.features.shape == (1, CHANNELS, H, W)


def test_the_blend_grows_with_the_parallax_and_lies_between_both():
    net, shares = TrustNet(C), []
    for metres in (0.01, 0.05, 0.1, 0.2, 1.0):
        seen = evidence(plane(4.0), plane(5.0), sideways(metres))
        seen = seen._replace(gain=plane(0.5))  # D_m explains the source better
        trust = net(seen, plane(5.0, 64, 96), plane(4.0, 64, 96), FEATURES)
        assert (trust.depth >= 4.0).all()
        assert (trust.depth <= 5.0).all()
        shares.append(trust.blend.mean().item())
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] > 0.9


def test_the_untrained_blend_is_the_depth_that_explains_the_source():
    """The source shows the target's picture two pixels to the left: f b / z = 2."""
    image = torch.rand(1, 3, H, W, generator=torch.Generator().manual_seed(1))
    source, right, wrong = image.roll(-2, dims=-1), plane(5.0), plane(10.0)
    for single, depth in ((wrong, right), (right, wrong)):
        seen = matching_evidence(matched(single, depth), single, image, source, K, sideways(-0.5))
        blended = TrustNet(C)(seen, depth, single, FEATURES).depth[..., 2:-2, 4:-4]
        assert (blended / 5.0 - 1).abs().max() < 0.01


def test_untrained_confidence_is_mass_times_agreement():
    sure = torch.zeros(1, D, H, W)
    sure[:, 5], sure[:, 6] = 0.8, 0.2
    for single, depth in ((4.0, 4.0), (4.0, 5.0)):
        seen = evidence(plane(single), plane(depth), sideways(0.5), sure)
        trust = TrustNet(C)(seen, plane(depth), plane(single), FEATURES)
        torch.testing.assert_close(trust.confidence, plane(0.8 * single / depth),
                                   atol=1e-4, rtol=0)
    alone = TrustNet(C)(no_evidence(plane(4.0), torch.rand(1, 3, H, W)), plane(4.0), plane(4.0),
                        FEATURES)
    torch.testing.assert_close(alone.confidence, plane(0.5), atol=1e-4, rtol=0)
    assert torch.equal(alone.depth, plane(4.0))


def test_what_leaves_the_source_is_known():
    """Two pixels to the left: the first two columns are out of the source's view."""
    inside = evidence(plane(5.0), plane(5.0), sideways(-0.5)).features[0, 5]
    assert (inside[:, 2:] == 1).all()
    assert (inside[:, :2] == 0).all()


def test_thumbnails_are_centred_as_the_features():
    ramp = torch.arange(64.0).expand(1, 3, 32, 64)
    torch.testing.assert_close(thumbnail(ramp)[0, 0, 0, 1:], torch.arange(4.0, 64.0, 4.0))
