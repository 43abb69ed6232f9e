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

"""Other views and other colours of a sample, with K in step."""

from dataclasses import dataclass

import cv2
from mdepth_ros.engine.camera import resize_matrix
from mdepth_ros.engine.preprocess import resize
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

Image = NDArray[np.uint8]
Matrix = NDArray[np.float64]

MOST_ZOOM = 1.3
COLOUR_SHARE = 0.5
GREY_SHARE = 0.05
# Of red, green and blue; ITU-R BT.601.
_LUMA = np.tile((0.299, 0.587, 0.114), (3, 1))


@dataclass(frozen=True)
class View:
    """
    What of an image becomes the network's input.

    ``zoom`` is the image's size over the size of what is kept, the same along both axes; ``x`` and
    ``y`` say where that lies, from 0 (left, top) to 1; ``mirrored`` swaps left and right.
    """

    zoom: float = 1.0
    x: float = 0.5
    y: float = 0.5
    mirrored: bool = False


@dataclass(frozen=True)
class Colours:
    """
    A change of colours, the same for all frames of a sample.

    ``table`` (256, 3) uint8 replaces each channel's values; ``matrix`` (3, 3) then mixes them.
    """

    table: Image
    matrix: Matrix


def draw_view(rng: np.random.Generator) -> View:
    """Draw a view: a zoom up to 1.3 anywhere in the image, every second one mirrored."""
    zoom, x, y = rng.uniform(1.0, MOST_ZOOM), rng.random(), rng.random()
    return View(float(zoom), float(x), float(y), bool(rng.random() < 0.5))


def draw_colours(rng: np.random.Generator) -> Colours | None:
    """
    Draw a change of colours: brightness, contrast, gamma, tint, hue, saturation; seldom grey.

    :param rng: decides.
    :return: the change; None for every second sample, which stays as it is.
    """
    if rng.random() >= COLOUR_SHARE:
        return None
    brightness, contrast, saturation = rng.uniform(0.8, 1.2, 3)
    gamma = np.exp(rng.uniform(-0.25, 0.25))
    tint = rng.uniform(0.93, 1.07, 3)
    hue = rng.uniform(-0.25, 0.25)  # [rad]
    if rng.random() < GREY_SHARE:
        saturation = 0.0
    level = np.linspace(0, 1, 256)[:, None] ** gamma * brightness * tint
    table = ((level - 0.5) * contrast + 0.5).clip(0, 1) * 255
    away = np.eye(3) - _LUMA
    return Colours(np.round(table).astype(np.uint8),
                   _LUMA + saturation * _about_grey(hue) @ away)


def take_view(rgb: Image, K: Matrix, width: int, height: int, view: View) -> tuple[Image, Matrix]:
    """
    Cut, resize and mirror an image.

    :param rgb: (H, W, 3) uint8.
    :param K: (3, 3) intrinsics of the image [px].
    :param width: width of the result [px].
    :param height: height of the result [px].
    :param view: which part; the same for all frames of a sample.
    :return: (height, width, 3) uint8 and its (3, 3) intrinsics [px].
    """
    left, top, w, h = _part(rgb.shape[1], rgb.shape[0], view)
    image = resize(rgb[top:top + h, left:left + w], width, height)
    K = K - np.array([[0, 0, left], [0, 0, top], [0, 0, 0]])
    K = resize_matrix(K, width / w, height / h)
    if view.mirrored:
        image = np.asarray(cv2.flip(image, 1), np.uint8)
        K[0, 1], K[0, 2] = -K[0, 1], width - 1 - K[0, 2]
    return image, K


def take_values(
    values: NDArray[np.float32], width: int, height: int, view: View
) -> NDArray[np.float32]:
    """
    Cut, resize and mirror a map of numbers.

    :param values: (H, W).
    :param width: width of the result [px].
    :param height: height of the result [px].
    :param view: which part.
    :return: (height, width), what belongs to the pixels of :func:`take_view`.
    """
    left, top, w, h = _part(values.shape[1], values.shape[0], view)
    part = cv2.resize(values[top:top + h, left:left + w], (width, height),
                      interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(part[:, ::-1] if view.mirrored else part)


def take_points(
    points: NDArray[np.float32], camera_size: tuple[int, int], width: int, height: int, view: View
) -> NDArray[np.float32]:
    """
    Follow points of an image into its view.

    :param points: (..., 2) x and y in the image [px]; NaN stays NaN.
    :param camera_size: width and height of the image [px].
    :param width: width of the result [px].
    :param height: height of the result [px].
    :param view: which part.
    :return: (..., 2) x and y in the result of :func:`take_view` [px].
    """
    left, top, w, h = _part(*camera_size, view)
    scale = np.array([width / w, height / h])
    moved = (points - (left, top) + 0.5) * scale - 0.5
    if view.mirrored:
        moved[..., 0] = width - 1 - moved[..., 0]
    return np.asarray(moved, np.float32)


def take_tracks(
    tracks: NDArray[np.float32], camera_size: tuple[int, int], width: int, height: int, view: View
) -> NDArray[np.float32]:
    """
    Follow tracks into the view of their target and source.

    :param tracks: (N, 4) x, y in the target and x, y in the source [px].
    :param camera_size: width and height of the images [px].
    :param width: width of the results [px].
    :param height: height of the results [px].
    :param view: which part.
    :return: (N, 4) likewise in the results of :func:`take_view` [px]; NaN where the target's end
        is not between the outermost pixels: the view holds no depth for it. The source's may be.
    """
    moved = take_points(tracks.reshape(-1, 2, 2), camera_size, width, height, view).reshape(-1, 4)
    seen = ((moved[:, :2] >= 0) & (moved[:, :2] <= (width - 1, height - 1))).all(axis=1)
    return np.where(seen[:, None], moved, np.float32(np.nan))


def change_colours(rgb: Image, colours: Colours) -> Image:
    """
    Change the colours of an image.

    :param rgb: (H, W, 3) uint8.
    :param colours: the change.
    :return: (H, W, 3) uint8.
    """
    replaced = cv2.LUT(rgb, colours.table[None])
    return np.asarray(cv2.transform(replaced, colours.matrix), np.uint8)


def change_tensor_colours(rgb: Tensor, colours: Colours) -> Tensor:
    """
    Change the colours of images on any device.

    :param rgb: (N, 3, H, W) uint8.
    :param colours: the change.
    :return: (N, 3, H, W) uint8, like :func:`change_colours` up to rounding.
    """
    table = torch.from_numpy(colours.table).to(rgb.device).float()
    matrix = torch.from_numpy(colours.matrix).to(rgb.device).float()
    replaced = torch.stack([table[rgb[:, c].long(), c] for c in range(3)], dim=1)
    mixed = torch.einsum('ij,njhw->nihw', matrix, replaced)
    return mixed.round().clamp(0, 255).to(torch.uint8)


def _part(width: int, height: int, view: View) -> tuple[int, int, int, int]:
    """Left, top, width and height of what a view keeps [px]."""
    w, h = max(1, round(width / view.zoom)), max(1, round(height / view.zoom))
    return round(view.x * (width - w)), round(view.y * (height - h)), w, h


def _about_grey(angle: float) -> Matrix:
    """Rotate colours about the grey axis, (3, 3)."""
    third, cosine, sine = 1 / 3, np.cos(angle), np.sin(angle) / np.sqrt(3)
    same = cosine + third * (1 - cosine)
    one, other = third * (1 - cosine) - sine, third * (1 - cosine) + sine
    return np.array([[same, one, other], [other, same, one], [one, other, same]])
