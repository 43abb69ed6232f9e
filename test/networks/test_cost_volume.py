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

from mdepth_ros.networks.cost_volume import correlation_volume
from mdepth_ros.networks.hypotheses import depth_hypotheses
import pytest
import torch

B, C, G, D, H, W = 2, 8, 4, 5, 6, 10


@pytest.fixture
def scene():
    rng = torch.Generator().manual_seed(0)
    K = torch.tensor([[9.0, 0.0, 4.5], [0.0, 8.0, 2.5], [0.0, 0.0, 1.0]]).expand(B, 3, 3)
    depth = 2 + 8 * torch.rand(B, 1, H, W, generator=rng)
    return {
        'target': torch.randn(B, C, H, W, generator=rng),
        'sources': torch.randn(B, 1, C, H, W, generator=rng),
        'hypotheses': depth_hypotheses(depth, torch.full((1, 1, H, W), 0.5), D),
        'K': K,
        'T_source_target': torch.eye(4).expand(B, 1, 4, 4).clone(),
    }


def volume(scene, **changes):
    return correlation_volume(**(scene | changes), groups=G)


def correlate(a, b):
    """Group g holds channels g, g + G, ...: (B, G, h, w)."""
    return torch.stack([(a * b)[:, g::G].mean(dim=1) for g in range(G)], dim=1)


def test_without_motion_every_hypothesis_is_the_plain_correlation(scene):
    result = volume(scene)
    assert result.shape == (B, G, D, H, W)
    expected = correlate(scene['target'], scene['sources'][:, 0])
    torch.testing.assert_close(result, expected[:, :, None].expand_as(result), rtol=0, atol=1e-4)


def test_finds_the_depth_of_a_fronto_parallel_wall(scene):
    """A camera step of 1 px at 9 m: only the hypothesis at 9 m lines the wall up."""
    source = torch.randn(B, C, H, W, generator=torch.Generator().manual_seed(3))
    target = torch.roll(source, -1, dims=3)
    T = scene['T_source_target'].clone()
    T[..., 0, 3] = 1.0  # 9 px * 1 m / 9 m = 1 px to the right in the source
    hypotheses = torch.tensor([90.0, 18.0, 9.0, 4.5, 3.0]).view(1, D, 1, 1).expand(B, D, H, W)
    result = volume(scene, target=target, sources=source[:, None], hypotheses=hypotheses,
                    T_source_target=T)
    expected = correlate(target, target)[..., :-1]
    torch.testing.assert_close(result[:, :, 2, :, :-1], expected, rtol=0, atol=1e-4)
    assert bool((result[:, :, 2, :, -1].abs() < 1e-4).all()), 'outside the source scores 0'


def test_behind_the_source_scores_zero(scene):
    T = scene['T_source_target'].clone()
    T[..., 2, 3] = -100.0
    assert not volume(scene, T_source_target=T).any()


def test_depth_and_baseline_scale_together(scene):
    T = scene['T_source_target'].clone()
    T[..., :3, 3] = torch.tensor([0.4, -0.1, 0.3])
    scaled = T.clone()
    scaled[..., :3, 3] *= 7
    torch.testing.assert_close(
        volume(scene, T_source_target=T),
        volume(scene, T_source_target=scaled, hypotheses=7 * scene['hypotheses']),
        rtol=0, atol=1e-4)


def test_sources_are_averaged(scene):
    T = scene['T_source_target'].clone()
    T[..., 0, 3] = 0.5
    two = {'sources': torch.cat([scene['sources'], -2 * scene['sources']], dim=1),
           'T_source_target': torch.cat([scene['T_source_target'], T], dim=1)}
    first = volume(scene)
    second = volume(scene, sources=two['sources'][:, 1:], T_source_target=T)
    torch.testing.assert_close(volume(scene, **two), (first + second) / 2)


def test_gradient_reaches_features_depth_and_motion(scene):
    tensors = {key: value.clone().requires_grad_() for key, value in scene.items() if key != 'K'}
    volume(scene, **tensors).square().sum().backward()
    assert all(bool(t.grad.isfinite().all()) for t in tensors.values())
    assert all(bool(tensors[key].grad.any()) for key in ('target', 'sources', 'T_source_target'))


def test_refuses_other_shapes(scene):
    with pytest.raises(ValueError, match=r'sources must be \(2, S, 8, 6, 10\), got \(2, 8, 6, 10'):
        volume(scene, sources=scene['sources'][:, 0])
    with pytest.raises(ValueError, match=r'K must be \(2, 3, 3\), got \(2, 4, 4\)'):
        volume(scene, K=torch.eye(4).expand(2, 4, 4))
    with pytest.raises(ValueError, match=r'T_source_target must be \(2, 1, 4, 4\), got'):
        volume(scene, T_source_target=torch.eye(4).expand(2, 4, 4))
    with pytest.raises(ValueError, match='multiple of 3 channels, got 1 and 8'):
        correlation_volume(**scene, groups=3)
