"""All jobs of all seeds, as many at once as there are cores."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tqdm import tqdm

from mdepth_ros.training.ablation.config import AblationConfig
from mdepth_ros.training.ablation.jobs import Jobs
from mdepth_ros.training.ablation.variants import VARIANTS

# Each job of a phase needs only what the phases before it made.
PHASES: tuple[tuple[str, ...], ...] = (
    ('data',),
    ('teacher',),
    # The long ones first, so that no core waits for them in the end.
    ('student', 'student-unmasked', 'global-96', 'paper-batch-12', 'ours-batch-12',
     *(variant.name for variant in VARIANTS
       if variant.name not in ('global-96', 'paper-batch-12', 'ours-batch-12'))),
    ('refined',),
    ('student-2',),
    ('refined-2',),
)


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
    context = multiprocessing.get_context('spawn')
    total = len(config.seeds) * sum(len(phase) for phase in PHASES)
    with ProcessPoolExecutor(cores, mp_context=context) as pool, \
            tqdm(total=total, unit='job', desc='ablation') as bar:
        for phase in PHASES:
            jobs = [pool.submit(do, config, seed, folder / f'seed-{seed}', name)
                    for name in phase for seed in config.seeds]
            for job in as_completed(jobs):
                job.result()
                bar.update()


def do(config: AblationConfig, seed: int, folder: Path, name: str) -> None:
    """
    Do one job.

    :param config: how large.
    :param seed: which.
    :param folder: the seed's.
    :param name: of the job, one of ``PHASES``.
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
