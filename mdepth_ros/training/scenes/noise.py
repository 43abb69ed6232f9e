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

"""Tileable noise, the raw material of the textures."""

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float64]
SIZE = 256  # texels per side of a texture


def fractal(
    rng: np.random.Generator, beta: float = 1.6, stretch_x: float = 1.0, stretch_y: float = 1.0
) -> Image:
    """
    Multi-octave noise with amplitude falling as 1/f^beta; it wraps around.

    :param rng: source of randomness.
    :param beta: 0 is speckle, 1 fine grain, 2 clouds.
    :param stretch_x: > 1 draws the grain out along rows.
    :param stretch_y: > 1 draws the grain out along columns.
    :return: (SIZE, SIZE) zero mean, unit variance.
    """
    frequency = np.fft.fftfreq(SIZE) * SIZE
    fx, fy = frequency[None, : SIZE // 2 + 1] * stretch_x, frequency[:, None] * stretch_y
    radius = np.hypot(fx, fy)
    radius[0, 0] = 1.0
    spectrum = np.fft.rfft2(rng.standard_normal((SIZE, SIZE))) / radius**beta
    spectrum[0, 0] = 0.0
    noise = np.fft.irfft2(spectrum, s=(SIZE, SIZE))
    return noise / noise.std()


def coordinates() -> tuple[Image, Image]:
    """Return x and y of the texels in [0, 1), y downwards, each (SIZE, SIZE)."""
    axis = (np.arange(SIZE) + 0.5) / SIZE
    x, y = np.meshgrid(axis, axis)
    return x, y


def colour(base: tuple[float, float, float], *layers: tuple[Image, float]) -> Image:
    """
    Modulate a colour by layers of noise.

    :param base: red, green, blue in [0, 1].
    :param layers: noise (SIZE, SIZE) with its relative strength.
    :return: (SIZE, SIZE, 3), not clipped.
    """
    brightness = np.ones((SIZE, SIZE))
    for noise, strength in layers:
        brightness = brightness * np.exp(strength * np.clip(noise, -3, 3))
    return brightness[..., None] * np.asarray(base)


def jitter(
    rng: np.random.Generator, base: tuple[float, float, float], amount: float = 0.08
) -> tuple[float, float, float]:
    """Vary a colour: the brightness by ``amount`` and each channel by a quarter of it."""
    factor = np.exp(rng.normal(0, amount)) * np.exp(rng.normal(0, amount / 4, 3))
    r, g, b = (float(value) for value in np.clip(np.asarray(base) * factor, 0.02, 0.98))
    return r, g, b
