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

"""Which jobs an ablation has, and which of them needs the result of which."""

from collections.abc import Callable
from dataclasses import dataclass
import math

from mdepth_ros.training.ablation.config import AblationConfig
from mdepth_ros.training.ablation.jobs import Jobs
from mdepth_ros.training.ablation.variants import Matching, VARIANTS


@dataclass(frozen=True)
class Job:
    """
    What is done once for each seed.

    ``needs`` names the job whose result ``do`` starts from, None for the data; ``title`` is what
    the table calls it, None where it has no score. ``variant`` is what it trains, if it is one.
    """

    name: str
    needs: str | None
    title: str | None
    do: Callable[[Jobs], None]
    variant: Matching | None = None


def _from_scratch(variant: Matching) -> Job:
    """Train a variant of M-DepthNet."""
    return Job(variant.name, variant.prior,
               f'M from scratch on the {variant.prior}: {variant.title}',
               lambda jobs: jobs.matching(variant), variant)


# In the order of the table.
GRAPH = (
    Job('data', None, None, Jobs.data),
    Job('teacher', 'data', 'teacher (all three together)', Jobs.teacher),
    *(_from_scratch(variant) for variant in VARIANTS),
    Job('student', 'teacher', "student, with the mask (M: teacher's)",
        lambda jobs: jobs.student('student', 'teacher', masked=True)),
    Job('student-unmasked', 'teacher', "student, without the mask (M: teacher's)",
        lambda jobs: jobs.student('student-unmasked', 'teacher', masked=False)),
    Job('refined', 'student', 'refine: M with the student',
        lambda jobs: jobs.refined('refined', 'student')),
    Job('student-2', 'refined', 'second round: student',
        lambda jobs: jobs.student('student-2', 'refined', masked=True)),
    Job('refined-2', 'student-2', 'second round: M refined',
        lambda jobs: jobs.refined('refined-2', 'student-2')),
)


def longest_first(config: AblationConfig) -> list[Job]:
    """
    Sort the jobs, so that no core is idle at the end.

    :param config: how large.
    :return: those that others wait for, then the variants by the work of a step.
    """
    def negative_work(job: Job) -> float:
        if job.variant is None:
            return -math.inf
        return -(job.variant.batch or config.batch) * job.variant.hypotheses

    return sorted(GRAPH, key=negative_work)
