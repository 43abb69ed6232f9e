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
from mdepth_ros.engine.approach import approach_wall
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import Mode
from mdepth_ros.errors import MdepthError

WIDTH, HEIGHT = 64, 64
# The first one is matched with none, the second with one, and all others with two.
FRAMES = 4


def main(backend: str, device: str) -> str:
    """
    Estimate depth: single-frame, matched, and once more against the clock.

    :param backend: as in :class:`EngineConfig`.
    :param device: likewise.
    :return: a line about what ran.
    :raises MdepthError: if the backend cannot be made, it matches nothing, or its depth is not
        positive and finite.
    """
    estimator = DepthEstimator.from_checkpoint(None, EngineConfig(
        device, backend=backend, width=WIDTH, height=HEIGHT))  # type: ignore[arg-type]
    for frame in approach_wall(FRAMES):
        started = time.perf_counter()
        estimate = estimator.push(frame)
        elapsed_ms = 1e3 * (time.perf_counter() - started)
    if estimate.mode is not Mode.MULTI:
        raise MdepthError(f'nothing is matched: {estimate.reason}')
    if not bool(((estimate.depth > 0) & estimate.depth.isfinite()).all()):
        raise MdepthError('the depth is not positive and finite everywhere')
    return (f'{estimator.backend} on {estimator.device}: {elapsed_ms:.0f} ms for {WIDTH}x{HEIGHT} '
            'pixels')


if __name__ == '__main__':
    try:
        print(main(*sys.argv[1:]))
    except MdepthError as error:
        sys.exit(str(error))
