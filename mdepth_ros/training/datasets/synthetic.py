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

"""A synthetic scene as a sequence, with all the truth there is."""

from dataclasses import replace
from functools import lru_cache

from mdepth_ros.engine.camera import Camera
from mdepth_ros.training.datasets.sequence import Sequence
from mdepth_ros.training.scenes.sequence import join
from mdepth_ros.training.synthetic import (
    SceneConfig,
    stream_sequence,
    SyntheticSequence,
    to_bytes,
)
import numpy as np
from numpy.typing import NDArray


class SyntheticSequenceView(Sequence):
    """Rendered when a frame is asked for, and kept until two other worlds were."""

    def __init__(self, config: SceneConfig, seed: int) -> None:
        """
        Render nothing yet.

        :param config: what it shows.
        :param seed: the same seed gives the same frames.
        """
        self.name = f'synthetic_{config.kind}_{seed}'
        self.camera = Camera.from_fov(config.width, config.height, config.horizontal_fov_deg)
        self.config, self.seed = config, seed

    def __len__(self) -> int:
        return self.config.frames

    def stamp_ns(self, index: int) -> int:
        """Return when a frame was taken [ns]; the first one is taken at 0."""
        return round(index * (1e9 / self.config.fps))

    def rgb(self, index: int) -> NDArray[np.uint8]:
        """Return an image, (H, W, 3) uint8 RGB."""
        return np.ascontiguousarray(self._rendered.images[index].permute(1, 2, 0).numpy())

    def depth(self, index: int) -> NDArray[np.float32]:
        """Return the true depth along z, (H, W) [m]; +Inf for the sky."""
        return np.asarray(self._rendered.depth[index, 0].numpy())

    def T_world_camera(self, index: int) -> NDArray[np.float64]:
        """Return the (4, 4) true pose, optical frame [m]."""
        return np.asarray(self._rendered.T_world_camera[index].double().numpy())

    def moving(self, index: int) -> NDArray[np.bool_]:
        """Return the (H, W) mask of what moves in the world."""
        return np.asarray(self._rendered.moving[index, 0].numpy())

    @property
    def _rendered(self) -> SyntheticSequence:
        """All frames."""
        return _render(self.config, self.seed)


# Worlds are played one after the other, and there may be a thousand of them.
@lru_cache(maxsize=2)
def _render(config: SceneConfig, seed: int) -> SyntheticSequence:
    """Render all frames, the images as a camera gives them: uint8, which are a quarter."""
    return join(replace(piece, images=to_bytes(piece.images))
                for piece in stream_sequence(config, seed))
