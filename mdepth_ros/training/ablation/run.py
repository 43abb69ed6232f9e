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
import os
from pathlib import Path

from mdepth_ros.training.ablation.config import AblationConfig
from mdepth_ros.training.ablation.jobs import Jobs
from mdepth_ros.training.ablation.variants import VARIANTS
from mdepth_ros.training.child_processes import process_pool
from tqdm import tqdm

# Each job and the one whose result it needs, the long ones first.
REQUIRES = {
    'data': '',
    'teacher': 'data',
    'student': 'teacher',
    'refined': 'student',
    'student-2': 'refined',
    'refined-2': 'student-2',
    'student-unmasked': 'teacher',
    **{variant.name: variant.prior
       for variant in sorted(VARIANTS, key=lambda variant: -variant.batch * variant.hypotheses)},
}


def run_ablation(config: AblationConfig, folder: Path) -> None:
    """
    Do what is not done yet.

    :param config: how large.
    :param folder: takes a folder for each seed.
    :raises MdepthError: as the trainings do.
    """
    cores = len(os.sched_getaffinity(0))
    # Many small operations: threads that share a core would only wait for each other.
    os.environ['OMP_NUM_THREADS'] = '1'
    with process_pool(cores) as pool, tqdm(
            total=len(config.seeds) * len(REQUIRES), unit='job', desc='ablation') as bar:
        running: dict[Future[None], tuple[int, str]] = {}

        def start(seed: int, done: str) -> None:
            """Hand out what only waited for ``done``."""
            for name, needed in REQUIRES.items():
                if needed == done:
                    job = pool.submit(do, config, seed, folder / f'seed-{seed}', name)
                    running[job] = (seed, name)

        for seed in config.seeds:
            start(seed, '')
        while running:
            for job in wait(running, return_when=FIRST_COMPLETED).done:
                job.result()
                bar.update()
                start(*running.pop(job))


def do(config: AblationConfig, seed: int, folder: Path, name: str) -> None:
    """
    Do one job.

    :param config: how large.
    :param seed: which.
    :param folder: the seed's.
    :param name: of the job, one of ``REQUIRES``.
    """
    jobs = Jobs(config, seed, folder)
    if name == 'data':
        jobs.data()
    elif name == 'teacher':
        jobs.teacher()
    elif name in ('student', 'student-unmasked'):
        jobs.student(name, 'teacher', masked=name == 'student')
    elif name == 'refined':
        jobs.refined(name, 'student')
    elif name == 'student-2':
        jobs.student(name, 'refined', masked=True)
    elif name == 'refined-2':
        jobs.refined(name, 'student-2')
    else:
        jobs.matching(next(variant for variant in VARIANTS if variant.name == name))
