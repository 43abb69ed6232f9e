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

"""All runs, several at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from functools import partial
from typing import Any

from mdepth_ros.errors import MdepthError
from mdepth_ros.training.child_processes import process_pool
from mdepth_ros.training.robustness.bench import Bench
from mdepth_ros.training.robustness.cameras import CAMERAS, run_camera
from mdepth_ros.training.robustness.events import EVENT_CLASSES, EventRun, run_events
from mdepth_ros.training.robustness.rates import RATE_CLASSES, RateRun, run_rates
from mdepth_ros.training.robustness.runs import Recording, Run, run_recording, run_world
from mdepth_ros.training.robustness.scene_classes import CLASSES, SEEDS_PER_CLASS
from mdepth_ros.training.robustness.summary import summarise
from tqdm import tqdm

# What can be asked for: scene classes, and these.
RATES, EVENTS, OTHERS = 'rates', 'events', 'cameras'
PARTS = (*CLASSES, RATES, EVENTS, OTHERS)
Result = Run | RateRun | list[EventRun]
Job = Callable[[], Result]


def run_robustness(
    bench: Bench, worlds: int, parts: Sequence[str] = PARTS,
    recording: Recording | None = None, processes: int = 1,
) -> dict[str, Any]:
    """
    Play everything.

    :param bench: how.
    :param worlds: of each class, also for rates and events; cameras take half as many of each.
    :param parts: some of ``PARTS``.
    :param recording: real frames to play, too.
    :param processes: how many runs at once.
    :return: as :func:`summarise`.
    :raises MdepthError: if a class has fewer worlds, and as the runs do.
    """
    if worlds > SEEDS_PER_CLASS:
        raise MdepthError(f'each scene class has {SEEDS_PER_CLASS} worlds, asked for {worlds}')
    numbers, fewer = range(worlds), range((worlds + 1) // 2)
    # The long ones first, so that no core is idle at the end.
    jobs: list[Job] = []
    if RATES in parts:
        jobs += [partial(run_rates, bench, name, n) for name in RATE_CLASSES for n in numbers]
    if EVENTS in parts:
        jobs += [partial(run_events, bench, name, n) for name in EVENT_CLASSES for n in numbers]
    if OTHERS in parts:
        jobs += [partial(run_camera, bench, name, n) for name in CAMERAS for n in fewer]
    jobs += [partial(run_world, bench, name, n)
             for name in CLASSES if name in parts for n in numbers]
    if recording is not None:
        recording.open()  # what is not there is better told before than after all the others
        jobs.append(partial(run_recording, bench, recording))
    results = _run_all(jobs, processes)
    return summarise(
        runs=[result for result in results if isinstance(result, Run)],
        rates=[result for result in results if isinstance(result, RateRun)],
        events=[run for result in results if isinstance(result, list) for run in result])


def _run_all(jobs: list[Job], processes: int) -> list[Result]:
    """Run jobs, return their results in order."""
    with tqdm(total=len(jobs), unit='run', desc='robustness', leave=False) as bar:
        if processes == 1:
            results = []
            for job in jobs:
                results.append(job())
                bar.update()
            return results
        with process_pool(processes) as pool:
            futures = [pool.submit(job) for job in jobs]
            for future in as_completed(futures):
                future.result()
                bar.update()
            return [future.result() for future in futures]
