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

"""One measurement of ``mdepth bench``, in a process of its own: fresh threads, fresh memory."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, ExitStack
from dataclasses import dataclass, replace
from multiprocessing import get_context
import os
from pathlib import Path
import subprocess
import sys
import time

from mdepth_ros.config import EngineConfig, ModelConfig
from mdepth_ros.engine.backends.choose import computes_in_torch
from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.estimator import DepthEstimator
from mdepth_ros.engine.frames import Frame
from mdepth_ros.engine.measure import measure, Measurement, WARM_UP_FRAMES
from mdepth_ros.errors import MdepthError
from mdepth_ros.networks.checkpoint import DEFAULT_WEIGHTS, load_checkpoint
from mdepth_ros.networks.depth_model import DepthModel
import numpy as np
import torch

PERIOD_NS = 100_000_000  # of a camera of 10 Hz
# Ends with the process that started it.
BUSY = 'import os, sys\nwhile os.getppid() == int(sys.argv[1]): pass'


@dataclass(frozen=True)
class Job:
    """
    What to measure.

    ``scene`` holds ``images`` and ``K``; ``model`` is built if it is not ``trained``, when
    ``weights`` or those of the package are loaded; ``frames`` are timed while ``busy`` other
    processes run, one every ``period_s`` [s] or, if that is 0, one after the other.
    """

    scene: Path
    model: ModelConfig
    config: EngineConfig
    weights: Path | None
    trained: bool
    frames: int
    busy: int
    period_s: float = 0.0

    @property
    def method(self) -> str:
        """Untrained networks match by PoseNet: points that agree with no depth tell no motion."""
        return 'robust' if self.trained else 'published'


def run_job(job: Job) -> Measurement:
    """
    Measure in a new process.

    :param job: what.
    :return: what it took.
    :raises MdepthError: if weights, device or backend are of no use.
    """
    with ProcessPoolExecutor(1, mp_context=get_context('spawn')) as process:
        try:
            return process.submit(_run, job).result()
        except BrokenProcessPool as error:
            raise MdepthError('the process that measures was killed: too little memory?'
                              ) from error


@contextmanager
def busy_cores(count: int) -> Iterator[None]:
    """
    Keep cores busy meanwhile.

    :param count: how many.
    """
    with ExitStack() as stack:
        for _ in range(count):
            process = subprocess.Popen([sys.executable, '-c', BUSY, str(os.getpid())])
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield


def there_and_back(images: int, frames: int) -> list[int]:
    """
    Play a scene there and back again, so that there is always a frame next to it.

    :param images: how many the scene has.
    :param frames: how many are played.
    :return: the image of each frame.
    """
    order = [*range(images), *range(images - 2, 0, -1)]
    return [order[i % len(order)] for i in range(frames)]


def _run(job: Job) -> Measurement:
    """Load and play."""
    started_s = time.perf_counter()
    if job.trained:
        model = load_checkpoint(job.weights or DEFAULT_WEIGHTS)
    else:
        torch.manual_seed(0)
        model = DepthModel(replace(job.model, width=job.config.width, height=job.config.height))
    config = replace(job.config, method=job.method)  # type: ignore[arg-type]
    estimator = DepthEstimator(model, config)
    if not computes_in_torch(estimator.backend):
        torch.set_num_threads(1)
    with np.load(job.scene) as scene:
        images, K = scene['images'], scene['K']
    camera = Camera(images.shape[2], images.shape[1], K)
    frames = [Frame(images[index], camera, (i + 1) * PERIOD_NS)
              for i, index in enumerate(there_and_back(len(images), job.frames + WARM_UP_FRAMES))]
    with busy_cores(job.busy):
        return measure(estimator, frames, started_s, job.period_s)
