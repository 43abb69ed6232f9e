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

"""Run the shipped networks on a tiny input: ``python -m ... BACKEND DEVICE``."""

import sys
import time

from mdepth_ros.config import EngineConfig
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import Frame
from mdepth_ros.errors import MdepthError
import numpy as np

WIDTH, HEIGHT = 64, 64


def main(backend: str, device: str) -> str:
    """
    Estimate depth: single-frame, matched, and once more against the clock.

    :param backend: as in :class:`EngineConfig`.
    :param device: likewise.
    :return: a line about what ran.
    :raises MdepthError: if the backend cannot be made, or its depth is not positive.
    """
    estimator = DepthEstimator.from_checkpoint(None, EngineConfig(
        device, backend=backend, width=WIDTH, height=HEIGHT))  # type: ignore[arg-type]
    estimator.warm_up()
    rgb = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    started = time.perf_counter()
    estimate = estimator.push(Frame(rgb, Camera.from_fov(WIDTH, HEIGHT, 80.0), 1))
    elapsed_ms = 1e3 * (time.perf_counter() - started)
    if not bool((estimate.depth > 0).all()):  # NaN is not, either
        raise MdepthError('the depth is not positive everywhere')
    return (f'{estimator.backend} on {estimator.device}: {elapsed_ms:.0f} ms for {WIDTH}x{HEIGHT} '
            'pixels')


if __name__ == '__main__':
    try:
        print(main(*sys.argv[1:]))
    except MdepthError as error:
        sys.exit(str(error))
