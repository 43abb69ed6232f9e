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

from dataclasses import replace
import math

from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.frames import DepthEstimate, Mode, Timings
from mdepth_ros.engine.point_cloud import CloudFilter
from mdepth_ros.engine.preprocess import Preprocessor
from mdepth_ros.engine.rendering import (
    color_picture,
    mark_range,
    Rendering,
    RenderingOptions,
)
import numpy as np
import pytest
import torch

CAMERA = Camera.from_fov(192, 128, 80.0)


def estimate(depth):
    prepare = Preprocessor(CAMERA, 96, 64, rectify=False)
    red = np.zeros((64, 96, 3), np.uint8)
    red[..., 0] = 255
    return DepthEstimate(
        depth=depth, valid=depth > 0, confidence=torch.full_like(depth, 0.8), single_depth=depth,
        rgb=red, K=prepare.K, stamp_ns=1, mode=Mode.SINGLE, reason='', T_source_target=None,
        source_stamp_ns=None, T_previous_target=None, previous_stamp_ns=None, scale=1.0,
        timings=Timings(0, 0, 0, 0))


def test_options_that_contradict_themselves_are_named_at_once():
    with pytest.raises(ValueError, match=(
            r"output_size must be one of network, input, got 'half'.*"
            r'0 <= min_depth_m < max_depth_m, got 9\.0 and 8\.0.*'
            r'0 < color_near_m < color_far_m, got 0\.0 and 4\.0')):
        RenderingOptions('half', min_depth_m=9.0, max_depth_m=8.0, color_near_m=0.0,
                         color_far_m=4.0)


@pytest.mark.parametrize('name', ['min_depth_m', 'max_depth_m', 'color_near_m', 'color_far_m'])
def test_an_option_that_is_no_number_is_refused(name):
    with pytest.raises(ValueError, match=f'{name}.*got .*nan'):
        RenderingOptions(**{name: math.nan})


def test_mark_range_by_hand():
    depth = torch.tensor([0.05, 0.1, 1.0, 80.0, 80.1, math.inf, math.nan, 1.0]).view(1, 1, 1, 8)
    valid = torch.tensor([True] * 7 + [False]).view(1, 1, 1, 8)
    expected = torch.tensor([-math.inf, 0.1, 1.0, 80.0, math.inf, math.inf, math.nan, math.nan])
    torch.testing.assert_close(mark_range(depth, valid, 0.1, 80.0).view(-1), expected,
                               equal_nan=True)


def test_colours_are_warm_near_cold_far_and_black_where_invalid():
    depth = np.array([[1.0, 40.0, math.nan, math.inf, -math.inf]], np.float32)
    picture = color_picture(depth, 1.0, 40.0).astype(int)
    blue, _, red = picture[0].T
    assert red[0] > blue[0]
    assert blue[1] > red[1]
    assert not picture[0, 2].any()
    assert (picture[0, 3] == picture[0, 1]).all()
    assert (picture[0, 4] == picture[0, 0]).all()


@pytest.mark.parametrize('size', ['network', 'input'])
def test_clouds_and_images_have_one_camera(size):
    """That of the frame, though the networks go on with one that is a little different."""
    depth = torch.full((1, 1, 64, 96), 5.0)
    zoomed = Camera(192, 128, CAMERA.K * [[1.004], [1.004], [1.0]])
    rendering = Rendering(estimate(depth), zoomed, RenderingOptions(output_size=size))
    points, _ = rendering.points
    seen = rendering.camera.K @ points[:, 5, 7].astype(float)
    np.testing.assert_allclose(seen[:2] / seen[2], [7, 5], atol=1e-3)
    K = Preprocessor(zoomed, 96, 64, rectify=False).camera.K
    for cloud in (rendering.navigation_points[0], rendering.clearing_points):
        x = (K @ cloud.T.astype(float))[0] / cloud[:, 2]
        np.testing.assert_allclose(x, x.round(), atol=1e-3)


@pytest.mark.parametrize(('size', 'shape'), [('network', (64, 96)), ('input', (128, 192))])
def test_all_arrays_have_the_published_size(size, shape):
    depth = torch.full((1, 1, 64, 96), 5.0)
    rendering = Rendering(estimate(depth), CAMERA, RenderingOptions(output_size=size))
    assert rendering.depth.shape == rendering.confidence.shape == shape
    assert rendering.color.shape == (*shape, 3)
    points, rgb = rendering.points
    assert (points.shape, rgb.shape) == ((3, *shape), (*shape, 3))
    assert (rgb == [255, 0, 0]).all()
    assert (rendering.camera.height, rendering.camera.width) == shape
    np.testing.assert_allclose(rendering.depth, 5.0, rtol=1e-6)
    # The outermost rays are those of the camera, at any resolution.
    edge = 5.0 * math.tan(math.radians(40))
    assert points[0, 0, -1] == pytest.approx(edge * (1 - 1 / shape[1]), rel=1e-4)


def test_navigation_points_keep_what_is_confident_and_in_range():
    depth = torch.full((1, 1, 64, 96), 5.0)
    cloud = CloudFilter(stride=2, min_confidence=0.4)
    options = RenderingOptions(cloud=cloud)
    points, rgb = Rendering(estimate(depth), CAMERA, options).navigation_points
    assert points.shape == (32 * 48, 3)
    assert points.shape == rgb.shape
    for refused in ({'cloud': replace(cloud, min_confidence=0.9)},
                    {'cloud': replace(cloud, max_range=4.0)},
                    {'max_depth_m': 4.0}, {'min_depth_m': 6.0}):
        options = RenderingOptions(**{'cloud': cloud, **refused})
        assert len(Rendering(estimate(depth), CAMERA, options).navigation_points[0]) == 0


def test_clearing_points_reach_to_their_range_and_heed_the_confidence():
    depth = torch.full((1, 1, 64, 96), 90.0)
    depth[..., :48] = 5.0
    clearing = CloudFilter(stride=8, max_range=20.0, min_confidence=0.4)
    options = RenderingOptions(clearing=clearing)
    points = Rendering(estimate(depth), CAMERA, options).clearing_points
    assert points.shape == (8 * 12, 3)
    far = points[:, 2] > 6.0
    assert far.sum() == 8 * 6
    np.testing.assert_allclose(np.linalg.norm(points[far], axis=1), 20.0, rtol=1e-5)
    np.testing.assert_allclose(points[~far][:, 2], 5.0, rtol=1e-5)
    refused = RenderingOptions(clearing=replace(clearing, min_confidence=0.9))
    assert len(Rendering(estimate(depth), CAMERA, refused).clearing_points) == 0


def test_upsampled_depth_has_no_points_between_surfaces():
    depth = torch.full((1, 1, 64, 96), 2.0)
    depth[..., 48:] = 9.0
    depth[..., 80:] = 200.0
    depth[..., :8] = -1.0
    published = Rendering(estimate(depth), CAMERA, RenderingOptions(output_size='input')).depth
    values = {round(float(value), 4) for value in published[np.isfinite(published)]}
    assert values == {2.0, 9.0}
    assert np.isnan(published[:, :16]).all()
    assert np.isposinf(published[:, 160:]).all()
