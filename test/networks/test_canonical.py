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

"""Depth follows the camera's focal length, of which the picture itself says nothing."""

from dataclasses import replace

from mdepth_ros.config import EngineConfig, lite_config, paper_config
from mdepth_ros.engine.preprocess import network_size
from mdepth_ros.geometry.depth import disparity_to_depth
from mdepth_ros.geometry.intrinsics import intrinsics_from_fov
from mdepth_ros.networks.canonical import depth_per_canonical, size_seen, to_depth
import pytest
import torch

CONFIG = lite_config()


def camera(focal, width=96, height=64):
    return torch.tensor([[[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]]])


def test_the_canonical_camera_has_the_depth_of_the_network():
    disparity = torch.rand(1, 1, 64, 96)
    depth = disparity_to_depth(disparity, CONFIG.min_depth, CONFIG.max_depth)
    torch.testing.assert_close(to_depth(disparity, CONFIG, camera(150.0)), depth)


def test_the_same_picture_through_a_longer_lens_is_farther():
    """Pinholes: what is twice as far and seen by twice the focal length looks the same."""
    disparity = torch.rand(1, 1, 64, 96).expand(2, -1, -1, -1)
    near, far = to_depth(disparity, CONFIG, torch.cat([camera(80.0), camera(160.0)]))
    torch.testing.assert_close(far, 2 * near)


def test_what_is_seen_reduced_counts_by_its_reduced_focal_length():
    factors = [depth_per_canonical(CONFIG, intrinsics_from_fov(70.0, width, height)[None],
                                   height, width)
               for width, height in ((224, 160), (448, 320), (896, 640))]
    assert [float(x) for x in factors] == pytest.approx([float(factors[0])] * 3)


@pytest.mark.parametrize(('width', 'height'), [(640, 480), (1280, 720), (1242, 375)])
def test_the_widest_camera_still_sees_80_m(width, height):
    seen_width, seen_height = network_size(width, height, EngineConfig().pixel_budget)
    K = intrinsics_from_fov(110.0, seen_width, seen_height)[None]
    assert float(to_depth(torch.zeros(1, 1, seen_height, seen_width), CONFIG, K).min()) > 80.0


def test_pixels_that_are_not_square_count_by_their_area():
    K = camera(150.0)
    K[:, 0, 0], K[:, 1, 1] = 300.0, 75.0
    assert float(depth_per_canonical(CONFIG, K, 64, 96)) == pytest.approx(1.0)


def test_published_networks_give_one_depth_to_all_cameras():
    disparity = torch.rand(1, 1, 64, 96)
    expected = disparity_to_depth(disparity, 0.1, 100.0)
    for focal in (80.0, 160.0):
        assert torch.equal(to_depth(disparity, paper_config(), camera(focal)), expected)


@pytest.mark.parametrize(('size', 'side', 'seen'), [
    ((64, 96), 160, (64, 96)), ((192, 640), 160, (160, 544)), ((640, 192), 0, (640, 192))])
def test_the_size_that_is_seen(size, side, seen):
    assert size_seen(*size, side) == seen


@pytest.mark.parametrize('focal', [-1.0, float('nan'), '150'])
def test_an_unusable_focal_length_is_refused(focal):
    with pytest.raises(ValueError, match='canonical_focal'):
        replace(CONFIG, canonical_focal=focal)
