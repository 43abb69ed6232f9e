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

"""Rendered images kept in memory: drawn from many times, as other cameras would see them."""

from dataclasses import dataclass, replace

from mdepth_ros.training.scenes.photographs import Photographs
from mdepth_ros.training.synthetic import random_config, render_sequence, to_bytes
import numpy as np
import torch
from torch import Tensor
import torch.nn.functional as F

# Building a world costs as much as ten images of it; images far apart differ more.
FRAMES, SLOWER = 6, 4
# Of all worlds; the others are as the evaluation has them.
VARIED_SHARE = 0.7


@dataclass(frozen=True)
class ImageBatch:
    """
    Images with their truth.

    ``image`` (B, 3, H, W) in [0, 1]; ``depth`` (B, 1, H, W) [m], Inf for the sky; ``K`` (B, 3, 3)
    [px].
    """

    image: Tensor
    depth: Tensor
    K: Tensor


class ImagePool:
    """Synthetic images of one size with their exact depth."""

    def __init__(self, size: tuple[int, int], capacity: int,
                 photographs: Photographs | None = None) -> None:
        """
        Start empty.

        :param size: width and height of the images [px].
        :param capacity: worlds that are kept; the oldest go first.
        :param photographs: for the surfaces of some worlds.
        """
        self.size = size
        self.capacity = capacity
        self._photographs = photographs
        self._worlds: list[tuple[Tensor, Tensor, Tensor]] = []

    def grow(self, seed: int) -> None:
        """Render one more world; the same seed gives the same one."""
        config = random_config(seed, *self.size, frames=FRAMES, varied=VARIED_SHARE)
        sequence = render_sequence(replace(config, fps=config.fps / SLOWER), seed,
                                   photographs=self._photographs)
        self._worlds.append((to_bytes(sequence.images), sequence.depth.half(), sequence.K))
        del self._worlds[:-self.capacity]

    def draw(self, count: int, rng: np.random.Generator) -> ImageBatch:
        """
        Draw images, each of another world, half of them mirrored.

        :param count: B, at most the number of worlds.
        :param rng: decides.
        """
        drawn = []
        for i in rng.choice(len(self._worlds), count, replace=False):
            images, depths, K = self._worlds[i]
            n = int(rng.integers(len(images)))
            image, depth = images[n].float() / 255, depths[n].float()
            if rng.random() < 0.5:
                image, depth, K = image.flip(-1), depth.flip(-1), mirrored(K, self.size[0])
            drawn.append((other_camera(image, rng), depth, K))
        return ImageBatch(*(torch.stack(column) for column in zip(*drawn)))


def mirrored(K: Tensor, width: int) -> Tensor:
    """
    Say what the camera of a mirrored image would be.

    :param K: (3, 3) intrinsics without skew [px].
    :param width: of the image [px].
    :return: (3, 3) [px].
    """
    K = K.clone()
    K[0, 2] = width - 1 - K[0, 2]
    return K


def other_camera(image: Tensor, rng: np.random.Generator) -> Tensor:
    """
    Show the image as another camera would: colours, exposure, contrast, blur, noise.

    :param image: (3, H, W) in [0, 1].
    :param rng: decides.
    :return: (3, H, W) in [0, 1].
    """
    grey = image.mean(dim=0, keepdim=True)
    saturation = 0.0 if rng.random() < 0.1 else float(rng.uniform(0.4, 1.4))
    tint = torch.from_numpy(rng.uniform(0.88, 1.12, (3, 1, 1))).float()
    image = (grey + saturation * (image - grey)) * tint
    image = (image * float(np.exp(rng.normal(0, 0.3)))).clamp(1e-3, 1.0)
    image = image ** float(np.exp(rng.normal(0, 0.25)))
    # Shadows without detail and blown-out highlights.
    contrast = float(rng.uniform(0.8, 1.5))
    image = (0.5 + contrast * (image - 0.5)).clamp(0, 1)
    if rng.random() < 0.35:
        image = _blur(image, rng)
    if rng.random() < 0.5:
        generator = torch.Generator().manual_seed(int(rng.integers(2 ** 31)))
        image = image + float(rng.uniform(0.0, 0.03)) * torch.randn(
            image.shape, generator=generator)
    return image.clamp(0, 1)


def _blur(image: Tensor, rng: np.random.Generator) -> Tensor:
    """Blur as a lens out of focus does, or a camera that moves along a line of a few pixels."""
    offsets = torch.arange(-3, 4).float()
    y, x = torch.meshgrid(offsets, offsets, indexing='ij')
    angle = float(rng.uniform(0, np.pi))
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    thin = float(rng.uniform(0.3, 1.0))
    long = thin if rng.random() < 0.5 else float(rng.uniform(1.0, 3.0))
    kernel = torch.exp(-0.5 * ((along / long) ** 2 + (across / thin) ** 2))
    kernel = (kernel / kernel.sum()).expand(3, 1, 7, 7)
    padded = F.pad(image[None], (3, 3, 3, 3), mode='replicate')
    return F.conv2d(padded, kernel, groups=3)[0]
