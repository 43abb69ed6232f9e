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

"""All jobs of all seeds, as many at once as there are cores."""

from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict, replace
import os
from pathlib import Path

from mdepth_ros.errors import MdepthError
from mdepth_ros.training.ablation.config import AblationConfig, load_ablation
from mdepth_ros.training.ablation.graph import GRAPH, longest_first
from mdepth_ros.training.ablation.jobs import Jobs
from mdepth_ros.training.child_processes import process_pool
from mdepth_ros.whole_file import write_whole
from tqdm import tqdm
import yaml

# The configuration that a folder's results are of.
CONFIG_FILE = 'ablation.yaml'


def run_ablation(config: AblationConfig, folder: Path) -> None:
    """
    Do what is not done yet.

    :param config: how large.
    :param folder: takes a folder for each seed, and the configuration.
    :raises MdepthError: if the folder has results of another configuration; as the trainings do.
    """
    _claim(folder, config)
    cores = len(os.sched_getaffinity(0))
    jobs = longest_first(config)
    with process_pool(cores) as pool, tqdm(
            total=len(config.seeds) * len(jobs), unit='job', desc='ablation') as bar:
        running: dict[Future[None], tuple[int, str]] = {}

        def start(seed: int, done: str | None) -> None:
            """Hand out what only waited for ``done``."""
            for job in jobs:
                if job.needs == done:
                    future = pool.submit(do, config, seed, folder / f'seed-{seed}', job.name)
                    running[future] = (seed, job.name)

        for seed in config.seeds:
            start(seed, None)
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                future.result()
                bar.update()
                start(*running.pop(future))


def do(config: AblationConfig, seed: int, folder: Path, name: str) -> None:
    """
    Do one job.

    :param config: how large.
    :param seed: which.
    :param folder: the seed's.
    :param name: of the job in ``GRAPH``.
    """
    next(job for job in GRAPH if job.name == name).do(Jobs(config, seed, folder))


def _claim(folder: Path, config: AblationConfig) -> None:
    """Write the configuration, unless the results that are there are of another one."""
    path = folder / CONFIG_FILE
    if path.exists():
        # Each seed has a folder of its own: more of them may follow.
        there, wanted = (asdict(replace(one, seeds=[0])) for one in (load_ablation(path), config))
        differing = [f'{name} {there[name]}, now {value}' for name, value in wanted.items()
                     if there[name] != value]
        if differing:
            raise MdepthError(f'{folder} has results of another ablation ({", ".join(differing)}):'
                              ' choose another folder')
    write_whole(path, yaml.safe_dump(asdict(config), sort_keys=False).encode())
