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

"""What all runs share: the model, its size, and how much is played."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from mdepth_ros.config import Backend, EngineConfig
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS, load_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
from mdepth_ros.training.robustness.methods import METHODS


@dataclass(frozen=True)
class Bench:
    """
    How the model is put to the test.

    ``weights`` is a file, None for the one that comes with the package; ``width`` x ``height``
    [px] is the networks' input for rendered scenes; ``frames`` of each world are played.
    """

    weights: Path | None = None
    width: int = 320
    height: int = 96
    frames: int = 20
    device: str = 'auto'
    backend: Backend = 'auto'

    @property
    def camera_size(self) -> tuple[int, int]:
        """Width and height of the rendered images [px]: a camera has more than the network."""
        return 4 * self.width // 3, 4 * self.height // 3

    def estimator(self, method: str, resized: bool = True) -> DepthEstimator:
        """
        Make a new estimator; all of a process share one model.

        :param method: a key of ``METHODS``.
        :param resized: False leaves the input's size to the engine, which asks the camera.
        :raises MdepthError: if weights or device are of no use.
        """
        config = EngineConfig(device=self.device, method=METHODS[method], backend=self.backend,
                              threads=1)
        if resized:
            config = replace(config, width=self.width, height=self.height)
        return DepthEstimator(_model(self.weights or DEFAULT_WEIGHTS), config)


@lru_cache(maxsize=1)
def _model(weights: Path) -> DepthModel:
    """Load a model once per process."""
    return load_checkpoint(weights)
