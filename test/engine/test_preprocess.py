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

import math

import cv2
from hypothesis import given, settings
from hypothesis import strategies as st
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.preprocess import network_input, network_size, Preprocessor
from mdepth_ros.errors import BadCamera, BadImage
import numpy as np
import pytest
import torch

CPU = torch.device('cpu')
sides = st.integers(1, 5000)


@settings(deadline=None)
@given(sides, sides, st.integers(1, 2_000_000))
def test_network_size_is_a_multiple_of_32_within_the_budget(width, height, budget):
    w, h = network_size(width, height, budget)
    assert (w % 32, h % 32) == (0, 0)
    assert min(w, h) >= 64
    assert w * h <= budget or (w, h) == (64, 64)


@settings(deadline=None)
@given(st.integers(200, 5000), st.floats(0.3, 3.5), st.integers(80_000, 2_000_000))
def test_network_size_keeps_the_aspect_and_uses_the_budget(height, aspect, budget):
    width = round(height * aspect)
    w, h = network_size(width, height, budget)
    assert abs(math.log(w / h / (width / height))) < 0.15
    assert w * h > 0.7 * budget


@settings(deadline=None)
@given(sides, sides, st.integers(4096, 500_000))
def test_network_size_of_the_turned_image_is_as_good(width, height, budget):
    def cost(w, h, aspect):
        return abs(math.log(w / h / aspect)) + 0.25 * math.log(budget / (w * h))

    w, h = network_size(width, height, budget)
    turned_w, turned_h = network_size(height, width, budget)
    assert cost(w, h, width / height) == pytest.approx(cost(turned_h, turned_w, width / height))


@pytest.mark.parametrize(('image', 'expected'), [
    ((1242, 375), (640, 192)), ((640, 480), (384, 288)), ((1280, 720), (448, 256)),
    ((3840, 2160), (448, 256)), ((1, 1), (320, 320)), ((100_000, 1), (1920, 64)),
    ((1, 100_000), (64, 1920)),
])
def test_network_size_at_the_default_budget(image, expected):
    assert network_size(*image, 640 * 192) == expected


@pytest.mark.parametrize('arguments', [(0, 1, 1), (1, -1, 1), (1, 1, 0)])
def test_network_size_refuses_nothing(arguments):
    with pytest.raises(ValueError, match='must be > 0'):
        network_size(*arguments)


def blob(width, height, x, y, sigma):
    """Paint a smooth spot, whose centre of mass can be measured far below a pixel."""
    v, u = np.mgrid[:height, :width]
    spot = 255.0 * np.exp(-((u - x) ** 2 + (v - y) ** 2) / (2.0 * sigma ** 2))
    return np.repeat(spot.round().astype(np.uint8)[..., None], 3, axis=2)


def centre(image):
    weight = image[..., 0].astype(float)
    v, u = np.mgrid[:weight.shape[0], :weight.shape[1]]
    return np.array([(weight * u).sum(), (weight * v).sum()]) / weight.sum()


def pinhole(K, point):
    projected = np.asarray(K, dtype=np.float64) @ point
    return projected[:2] / projected[2]


POINTS = [(0.0, 0.0, 2.0), (-0.7, 0.3, 2.0), (0.9, -0.35, 2.5), (0.5, 0.4, 2.0), (-0.6, -0.4, 2.2)]


@pytest.mark.parametrize('size', [(320, 192), (640, 192), (64, 64), (1280, 736), (96, 800)])
@pytest.mark.parametrize('point', POINTS)
def test_image_and_K_stay_together_when_resized(size, point):
    K = np.array([[600.0, 0.0, 630.0], [0.0, 620.0, 350.0], [0.0, 0.0, 1.0]])
    preprocess = Preprocessor(Camera(1280, 720, K), *size, rectify=False)
    image = preprocess(blob(1280, 720, *pinhole(K, point), sigma=14.0))
    assert image.shape == (size[1], size[0], 3)
    assert np.abs(centre(image) - pinhole(preprocess.K, point)).max() < 0.05
    assert bool(preprocess.valid.all())


DISTORTED = [
    ('plumb_bob', [-0.28, 0.09, 0.001, -0.0008, -0.012]),
    ('plumb_bob', [-0.28, 0.09, 0.001, -0.0008]),
    ('rational_polynomial', [0.4, -0.1, 0.0005, 0.0003, -0.01, 0.7, -0.05, -0.02]),
    ('equidistant', [0.03, -0.01, 0.004, -0.001]),
    ('equidistant', [0.0, 0.0, 0.0, 0.0]),
]


@pytest.mark.parametrize('size', [(320, 192), (1280, 704), (640, 160)])
@pytest.mark.parametrize(('model', 'coefficients'), DISTORTED)
def test_rectified_points_land_where_a_pinhole_sees_them(model, coefficients, size):
    K = np.array([[600.0, 0.0, 630.0], [0.0, 605.0, 350.0], [0.0, 0.0, 1.0]])
    P = np.array([[500.0, 0.0, 640.0, 0.0], [0.0, 510.0, 355.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    R = cv2.Rodrigues(np.array([0.01, -0.02, 0.015]))[0]
    camera = Camera(1280, 720, K, coefficients, model, R=R, P=P)
    preprocess = Preprocessor(camera, *size, rectify=True)
    for point in POINTS:
        one = np.array(point).reshape(1, 1, 3)
        zero = np.zeros(3)
        project = cv2.fisheye.projectPoints if model == 'equidistant' else None
        raw = (project(one, zero, zero, K, np.array(coefficients)) if project
               else cv2.projectPoints(one, zero, zero, K, np.array(coefficients)))[0].ravel()
        # A narrow spot: distortion across a wide one moves its centre of mass.
        image = preprocess(blob(1280, 720, *raw, sigma=4.0))
        expected = pinhole(preprocess.K, R @ point)
        assert np.abs(centre(image) - expected).max() < 0.05, point


@pytest.mark.parametrize('count', [8, 12, 14])
def test_a_plumb_bob_that_a_driver_filled_up_with_zeros_is_the_same_lens(count):
    P = np.array([[500.0, 0.0, 640.0, 0.0], [0.0, 510.0, 355.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    five = [-0.28, 0.09, 0.001, -0.0008, -0.012]
    rgb = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
    plain, filled = (
        Preprocessor(Camera(1280, 720, P[:, :3], coefficients, 'plumb_bob', P=P), 320, 192, True)
        for coefficients in (five, [*five, *[0.0] * (count - 5)]))
    np.testing.assert_array_equal(filled(rgb), plain(rgb))
    np.testing.assert_array_equal(filled.valid, plain.valid)


def test_rectifying_without_distortion_is_a_resize():
    rng = np.random.default_rng(0)
    rgb = cv2.GaussianBlur(rng.integers(0, 256, (480, 640, 3), dtype=np.uint8), (0, 0), 6)
    camera = Camera.from_fov(640, 480, 70.0)
    for size in ((320, 256), (640, 480), (224, 160), (800, 608)):
        raw, rectified = (Preprocessor(camera, *size, rectify=on)(rgb).astype(float)[2:-2, 2:-2]
                          for on in (True, False))
        assert np.abs(raw - rectified).max() < 6.4


@pytest.mark.parametrize('rectify', [False, True])
def test_fine_patterns_turn_grey_and_do_not_alias(rectify):
    v, u = np.mgrid[:720, :1280]
    checker = np.repeat(((u + v) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2)
    image = Preprocessor(Camera.from_fov(1280, 720, 80.0), 320, 192, rectify)(checker)
    assert np.abs(image - 127.5).max() < 20


def test_pixels_outside_the_raw_image_are_not_valid():
    K = np.array([[300.0, 0.0, 319.5], [0.0, 300.0, 239.5], [0.0, 0.0, 1.0]])
    P = np.hstack([np.diag([0.5, 0.5, 1.0]) @ K, np.zeros((3, 1))])
    P[0, 2], P[1, 2] = 319.5, 239.5  # sees twice as far to all sides
    preprocess = Preprocessor(Camera(640, 480, K, P=P), 640, 480, rectify=True)
    valid = preprocess.valid[0, 0]
    assert bool(valid[121:359, 161:479].all())
    assert not bool(valid[:119].any())
    assert not bool(valid[:, 481:].any())
    # The border goes on outward.
    image = preprocess(np.full((480, 640, 3), 200, np.uint8))
    assert (image == 200).all()


# The lens turns where a derivative is 0 first, such as 1 - 0.9 r^2 + 0.07 r^6 by r = tan(angle).
@pytest.mark.parametrize(('model', 'coefficients', 'focal', 'reach'), [
    ('plumb_bob', [-0.3, 0.0, 0.0, 0.0], 320.0, math.sqrt(1 / 0.9)),
    ('plumb_bob', [-0.3, 0.0, 0.0, 0.0, 0.01], 220.0, 1.12725),
    ('equidistant', [-0.3, 0.0, 0.0, 0.0], 150.0, math.tan(math.sqrt(1 / 0.9)))])
def test_directions_beyond_the_reach_of_the_lens_model_are_not_valid(
        model, coefficients, focal, reach):
    K = np.array([[focal, 0.0, 319.5], [0.0, focal, 239.5], [0.0, 0.0, 1.0]])
    R = cv2.Rodrigues(np.array([0.05, -0.1, 0.0]))[0]
    camera = Camera(640, 480, K, coefficients, model, R=R, P=np.hstack([K, np.zeros((3, 1))]))
    valid = Preprocessor(camera, 640, 480, rectify=True).valid[0, 0].numpy()
    v, u = np.mgrid[:480, :640]
    x, y, z = np.moveaxis(np.dstack([u, v, np.ones_like(u)]) @ np.linalg.inv(K).T @ R, -1, 0)
    radius = np.hypot(x, y) / z
    seen = radius < reach
    assert 0.02 < 1 - seen.mean() < 0.5
    clear = abs(radius - reach) > 0.005
    np.testing.assert_array_equal(valid[clear], seen[clear])


@pytest.mark.parametrize('rectify', [False, True])
@pytest.mark.parametrize('size', [(1, 1), (64, 64), (3, 2000)])
def test_colours_order_range_and_odd_sizes(size, rectify):
    rgb = np.empty((size[1], size[0], 3), np.uint8)
    rgb[:] = (255, 0, 51)
    image = network_input(Preprocessor(Camera.from_fov(*size, 60.0), 64, 96, rectify)(rgb), CPU)
    assert image.dtype == torch.float32
    assert image.is_contiguous()
    np.testing.assert_allclose(image[0, :, 50, 30].numpy(), [1.0, 0.0, 0.2], atol=1e-6)


def test_the_result_owns_its_memory():
    rgb = np.zeros((64, 64, 3), np.uint8)
    image = Preprocessor(Camera.from_fov(64, 64, 60.0), 64, 64, rectify=False)(rgb)
    rgb[:] = 255
    assert not image.any()


@pytest.mark.parametrize('image', [np.zeros((480, 641, 3), np.uint8), np.zeros((480, 640)),
                                   np.zeros((480, 640, 3), np.float32)])
def test_an_image_of_another_size_is_refused(image):
    preprocess = Preprocessor(Camera.from_fov(640, 480, 60.0), 64, 64, rectify=False)
    with pytest.raises(BadImage, match=r'the camera gives \(480, 640, 3\) uint8 images'):
        preprocess(image)


def test_an_unknown_distortion_model_matters_only_where_it_has_to_be_undone():
    K = np.array([[50.0, 0, 32], [0, 50, 24], [0, 0, 1]])
    camera = Camera(64, 48, K, [0.1] * 6, 'double_sphere', P=np.hstack([K, np.zeros((3, 1))]))
    assert Preprocessor(camera, 64, 64, rectify=False).valid.all()
    with pytest.raises(BadCamera, match="cannot undistort: unknown distortion_model 'double_sph"):
        Preprocessor(camera, 64, 64, rectify=True)


@pytest.mark.parametrize(('raw', 'rectified', 'rectify'), [
    (1e300, 1e-300, True), (1e300, 50.0, True), (50.0, 1e-300, False), (50.0, 1e300, False)])
def test_focal_lengths_that_no_lens_has(raw, rectified, rectify):
    K = np.array([[raw, 0, 31.5], [0, raw, 23.5], [0, 0, 1]])
    P = np.array([[rectified, 0, 31.5, 0], [0, rectified, 23.5, 0], [0, 0, 1, 0]])
    camera = Camera(64, 48, K, np.zeros(5), 'plumb_bob', P=P)
    with pytest.raises(BadCamera, match=r'focal lengths must be at least 0\.001 px and'):
        Preprocessor(camera, 64, 64, rectify)
