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

"""The networks as the estimator calls them, whatever runs them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from mdepth_ros.config import ModelConfig
from mdepth_ros.engine.backends.backend import Backend
from mdepth_ros.geometry.intrinsics import intrinsics_from_fov
from mdepth_ros.geometry.pose import invert_motion
from mdepth_ros.networks.canonical import depth_per_canonical
from mdepth_ros.networks.evidence import thumbnail
import torch
from torch import Tensor


class SingleFrame(NamedTuple):
    """``depth`` (1, 1, H, W) [network units]; ``features`` (1, h, w, C) it was read from."""

    depth: Tensor
    features: Tensor


class Description(NamedTuple):
    """
    What matching needs of a frame, at 1/4 of its size.

    ``matching`` (1, C, h, w) and ``context`` (1, h, w, 32) features, empty where there is no
    M-DepthNet; ``thumbnail`` (1, 3, h, w).
    """

    matching: Tensor
    context: Tensor
    thumbnail: Tensor


class Fused(NamedTuple):
    """``depth`` (1, 1, H, W) [network units] and ``confidence`` (1, 1, H, W) in [0, 1]."""

    depth: Tensor
    confidence: Tensor


class Runner:
    """
    Names and types for a backend's parts.

    :param backend: runs them.
    :param config: of the model.
    """

    def __init__(self, backend: Backend, config: ModelConfig) -> None:
        self._backend, self._device = backend, backend.device
        self._config = config

    def single_frame(self, image: Tensor, K: Tensor) -> SingleFrame:
        """
        Run S-DepthNet.

        :param image: (1, 3, H, W) in [0, 1].
        :param K: (1, 3, 3) intrinsics [px].
        """
        depth, features = self._backend.run('single_frame', image)
        return SingleFrame(depth * depth_per_canonical(self._config, K, *image.shape[-2:]),
                           features)

    def start_describe(self, image: Tensor) -> Callable[[], Description]:
        """Begin to describe a (1, 3, H, W) image for matching; the result waits for it."""
        if not self._config.multi_frame:
            nothing = image.new_empty(0)
            return lambda: Description(nothing, nothing, thumbnail(image))
        finish = self._backend.start('describe', image)
        return lambda: Description(*finish())

    def fuse(
        self, target: Description, sources: Sequence[Description],
        T_source_target: Sequence[Tensor], single: SingleFrame, K: Tensor,
    ) -> Fused:
        """
        Match a frame with others.

        :param target: the frame.
        :param sources: the others, the best first.
        :param T_source_target: a (1, 4, 4) motion for each, in the unit of the depth.
        :param single: S-DepthNet's answer for the frame.
        :param K: (1, 3, 3) intrinsics [px].
        """
        return Fused(*self._backend.run(
            'fuse', *target, torch.stack([source.matching for source in sources], dim=1),
            sources[0].thumbnail, *single, K, torch.stack(list(T_source_target), dim=1)))

    def unmatched(self, target: Description, single: SingleFrame) -> Fused:
        """Keep the single-frame depth, with what can be said of it."""
        return Fused(single.depth, *self._backend.run('unmatched', target.thumbnail, *single))

    def run_all(self, width: int, height: int, sources: int, published: bool) -> None:
        """
        Run every part once, so that none is compiled when frames are waiting.

        :param width: of the images [px].
        :param height: of the images [px].
        :param sources: largest number of frames to match with, 0 without M-DepthNet.
        :param published: whether PoseNet runs, too.
        """
        image = torch.zeros(1, 3, height, width, device=self._device)
        K = intrinsics_from_fov(80.0, width, height).to(image)[None]
        single, description = self.single_frame(image, K), self.start_describe(image)()
        for count in range(1, sources + 1):
            self.fuse(description, [description] * count, [torch.eye(4).to(image)[None]] * count,
                      single, K)
        self.unmatched(description, single)
        if published:
            self.motion_since(image, image)

    def motion_since(self, earlier: Tensor, later: Tensor) -> Tensor:
        """Run PoseNet on (1, 3, H, W) images: (1, 4, 4) T_earlier_later."""
        return invert_motion(self._backend.run('motion', earlier, later)[0])
