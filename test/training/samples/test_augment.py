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

"""Views against the pixels of images whose colours say where they are; colours against numbers."""

import cv2
from hypothesis import given, settings
from hypothesis import strategies as st
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.preprocess import Preprocessor
from mdepth_ros.engine.tracked_motion import motion_from_tracks
from mdepth_ros.training.samples.augment import (
    change_colours,
    change_tensor_colours,
    Colours,
    draw_colours,
    draw_view,
    take_points,
    take_tracks,
    take_view,
    View,
)
import numpy as np
import pytest
import torch

K = np.array([[190.0, 0, 101.3], [0, 185.0, 70.8], [0, 0, 1]])
SHARES = st.floats(0, 1)


def ramp(height=150, width=220):
    """Red is the column, green the row."""
    v, u = np.mgrid[0:height, 0:width]
    return np.dstack([u, v, np.full_like(u, 7)]).astype(np.uint8)


def noise(seed=0, height=40, width=60):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def project(points, matrix):
    return (points @ matrix.T)[:, :2] / points[:, 2:]


@settings(max_examples=60, deadline=None)
@given(zoom=st.floats(1, 1.4), x=SHARES, y=SHARES, mirrored=st.booleans(),
       size=st.sampled_from([(96, 64), (160, 96), (220, 150), (320, 128)]))
def test_a_point_keeps_its_colour(zoom, x, y, mirrored, size):
    image, K_view = take_view(ramp(), K, *size, View(zoom, x, y, mirrored))
    assert image.shape == (size[1], size[0], 3)
    points = np.random.default_rng(0).uniform([-2, -1.5, 3], [2, 1.5, 9], (300, 3))
    before = project(points, K)
    # What is left of a mirrored camera is right of the true one.
    after = project(points * [-1 if mirrored else 1, 1, 1], K_view)
    within = ((after >= 1) & (after <= (size[0] - 2, size[1] - 2))).all(axis=1)
    assert within.sum() > 40
    colours = cv2.remap(image, *after[within].astype(np.float32).T, cv2.INTER_LINEAR)[:, 0]
    assert np.abs(colours[:, :2] - before[within]).max() < 1.6  # two roundings and 1/32 px
    assert (colours[:, 2] == 7).all()


@settings(max_examples=60, deadline=None)
@given(zoom=st.floats(1, 1.4), x=SHARES, y=SHARES, mirrored=st.booleans(),
       size=st.sampled_from([(96, 64), (160, 96), (220, 150), (320, 128)]))
def test_points_move_with_the_image(zoom, x, y, mirrored, size):
    view = View(zoom, x, y, mirrored)
    image, _ = take_view(ramp(), K, *size, view)
    points = np.random.default_rng(0).uniform(0, [219, 149], (300, 2)).astype(np.float32)
    moved = take_points(points, (220, 150), *size, view)
    within = ((moved >= 1) & (moved <= (size[0] - 2, size[1] - 2))).all(axis=1)
    assert within.sum() > 40
    colours = cv2.remap(image, *moved[within].T, cv2.INTER_LINEAR)[:, 0]
    assert np.abs(colours[:, :2] - points[within]).max() < 1.6
    unknown = take_points(np.full((2, 3, 2), np.nan, np.float32), (220, 150), *size, view)
    assert unknown.shape == (2, 3, 2)
    assert np.isnan(unknown).all()


def test_the_plain_view_is_what_the_robot_sees():
    camera = Camera(220, 150, K)
    for size in ((96, 64), (320, 128)):
        preprocess = Preprocessor(camera, *size, rectify=False)
        seen, rgb = preprocess(noise(1, 150, 220)), noise(1, 150, 220)
        image, K_view = take_view(rgb, K, *size, View())
        assert np.array_equal(image, seen)
        assert np.allclose(K_view, preprocess.camera.K)


def road_depth(matrix, width, height):
    """Of a road 1.5 m below a camera that is tilted to see nothing else."""
    v, u = np.mgrid[0:height, 0:width]
    rays = np.dstack([u, v, np.ones_like(u)]) @ np.linalg.inv(matrix).T
    return 1.5 / (rays @ [0, np.cos(0.6), np.sin(0.6)])


def test_tracks_in_a_view_tell_the_true_motion_by_its_depth():
    """Those whose target lies outside the view are gone: it has no depth for them."""
    T = np.eye(4)
    T[:3, 3] = -0.1, 0.05, -0.25
    rng = np.random.default_rng(4)
    start = np.column_stack([rng.uniform(0, 219, 400), rng.uniform(0, 149, 400)])
    rays = np.column_stack([start, np.ones(400)]) @ np.linalg.inv(K).T
    points = 1.5 * rays / (rays @ [0, np.cos(0.6), np.sin(0.6)])[:, None]
    tracks = np.hstack([start, project(points + T[:3, 3], K)]).astype(np.float32)
    size = 160, 96
    for view in (View(), View(1.3, 0.0, 0.0), View(1.3, 1.0, 0.6), View(1.2, 0.5, 1.0)):
        _, K_view = take_view(ramp(), K, *size, view)
        moved = take_tracks(tracks, (220, 150), *size, view)
        seen = ~np.isnan(moved[:, 0])
        assert np.isnan(moved[~seen]).all()
        assert seen.mean() == pytest.approx(1 / view.zoom ** 2, abs=0.06)
        assert (moved[seen, :2] >= 0).all()
        assert (moved[seen, :2] <= np.array(size) - 1).all()
        depth = torch.from_numpy(road_depth(K_view, *size)).float()[None, None]
        solved = motion_from_tracks(torch.from_numpy(moved)[None], depth,
                                    torch.from_numpy(K_view).float()[None])[0].numpy()
        assert np.allclose(solved, T, atol=1e-3)


def test_mirroring_twice_changes_nothing():
    image, K_view = take_view(noise(), K, 60, 40, View(mirrored=True))
    again, K_again = take_view(image, K_view, 60, 40, View(mirrored=True))
    assert np.array_equal(again, noise())
    assert np.allclose(K_again, K)


def test_zoom_shows_a_part_with_a_longer_focal_length():
    image, K_view = take_view(ramp(), K, 110, 75, View(zoom=1.25, x=1.0, y=0.0))
    # 220 / 1.25 = 176 columns from 44, 150 / 1.25 = 120 rows from 0.
    assert image[0, 0, 0] == pytest.approx(44 + (176 / 110 - 1) / 2, abs=1)
    assert image[-1, -1].tolist()[:2] == pytest.approx([219, 119], abs=1)
    assert K_view[0, 0] == pytest.approx(190 * 110 / 176)
    assert K_view[0, 2] == pytest.approx((101.3 - 44 + 0.5) * 110 / 176 - 0.5)
    assert K_view[1, 2] == pytest.approx((70.8 + 0.5) * 75 / 120 - 0.5)


def draw(count=400):
    rng = np.random.default_rng(3)
    return [draw_view(rng) for _ in range(count)], [draw_colours(rng) for _ in range(count)]


def test_what_is_drawn():
    views, colours = draw()
    zooms = np.array([view.zoom for view in views])
    assert zooms.min() >= 1
    assert zooms.max() <= 1.3
    assert np.ptp(zooms) > 0.25
    assert 0.4 < np.mean([view.mirrored for view in views]) < 0.6
    assert 0.4 < np.mean([change is None for change in colours]) < 0.6
    changed = [change_colours(noise(), change) for change in colours if change is not None]
    grey = [np.ptp(image.astype(int), axis=2).max() <= 1 for image in changed]
    assert 0.01 < np.mean(grey) < 0.12
    brightness = np.array([image.mean() for image in changed])
    assert brightness.std() > 8
    assert 0.6 * noise().mean() < brightness.min()


def test_grey_stays_grey_but_for_the_tint():
    ramp_grey = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    for change in filter(None, draw(60)[1]):
        untinted = Colours(np.repeat(change.table[:, :1], 3, axis=1), change.matrix)
        out = change_colours(ramp_grey, untinted).astype(int)
        assert np.abs(out - out[..., :1]).max() <= 1
        assert (np.diff(out[0, :, 0]) >= 0).all()  # order of brightness stays


def test_hue_turns_about_grey_by_hand():
    # A third of a turn moves red to green; sum and grey stay.
    from mdepth_ros.training.samples.augment import _about_grey

    assert np.allclose(_about_grey(2 * np.pi / 3) @ [1, 0, 0], [0, 1, 0])
    assert np.allclose(_about_grey(0.3) @ [1, 1, 1], 1)
    assert np.allclose(_about_grey(0.3) @ _about_grey(-0.3), np.eye(3))


def test_tensors_and_images_get_the_same_colours():
    image = noise(5)
    for change in list(filter(None, draw(60)[1]))[:12]:
        tensor = torch.from_numpy(image).permute(2, 0, 1)[None]
        out = change_tensor_colours(tensor, change)[0].permute(1, 2, 0).numpy().astype(int)
        assert np.abs(out - change_colours(image, change)).max() <= 1
